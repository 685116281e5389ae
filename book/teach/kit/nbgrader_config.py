"""nbgrader's settings for this course folder. nbgrader reads this file when it runs here."""

import os
from pathlib import Path

HERE = Path(__file__).resolve().parent

c = get_config()  # noqa: F821 - nbgrader defines it
c.CourseDirectory.course_id = "convolution"
c.CourseDirectory.root = str(HERE)

# Of what a student sends, only notebooks are taken: a folder `convlib` in it would be imported in
# place of the checkers.
c.CourseDirectory.include = ["*.ipynb", "timestamp.txt"]

# The checkers are those of this folder, whatever else is installed.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
)

# A student sees the stubs of the book, not a NotImplementedError in their place.
c.ClearSolutions.code_stub = {"python": ""}

# Seconds for one cell; an answer that never ends gets no points, and the cells after it are run.
c.Execute.timeout = 120
