"""The checkers of the book's exercises, one module a chapter.

A checker takes the reader's function or prediction and returns a `Report`: whether it is right,
and if not, a hint at the likely slip. No checker raises for a wrong answer.
"""

from ._core import Report as Report
