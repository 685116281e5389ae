"""The checkers of the book's exercises, one module a chapter.

A checker takes the reader's function or prediction and returns a `Report`: whether it is right,
and if not, a hint at the likely slip. No checker raises for a wrong answer. `grade` makes points of
a report, for a class that is graded.
"""

from ._core import Report as Report
from ._grade import grade as grade
from ._grade import points_for as points_for
