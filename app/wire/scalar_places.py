"""Finds the place in the file of a character of a YAML value: quotes, escapes and folded lines
make the text in the file longer than the value.
"""

from __future__ import annotations

from typing import NamedTuple

_ESCAPED = {"x": 4, "u": 6, "U": 10}


class Source(NamedTuple):
    """A value as it stands in the file. style: `'`, `"`, `|`, `>`, or empty for none of these."""

    raw: str
    style: str
    start: tuple[int, int]

    def place(self, value: str, offset: int) -> tuple[int, int]:
        """Return line and column, from 1, of the character at `offset` of the value.

        Where several spaces or lines were folded into one it is the best that can be said.
        """
        index = self._begin()
        for character in value[:offset]:
            index = self._after(self._at(index, character), character)
        index = min(self._at(index, value[offset : offset + 1]), len(self.raw))
        line, column = self.start
        before = self.raw[:index]
        if "\n" not in before:
            return line, column + index
        return line + before.count("\n"), index - before.rfind("\n")

    def _begin(self) -> int:
        if self.style and self.style in "|>":
            return self._indented(self.raw.find("\n") + 1)
        return 1 if self.style else 0

    def _at(self, index: int, character: str) -> int:
        """Step over what was folded away before a character."""
        while character.strip() and self.raw[index : index + 1].isspace():
            index += 1
        return index

    def _after(self, index: int, character: str) -> int:
        """Return where the next character begins, when this one begins at index."""
        raw = self.raw
        if self.style == "'" and raw.startswith("''", index):
            return index + 2
        if self.style == '"' and raw.startswith("\\", index):
            return self._after_escape(index)
        if raw[index : index + 1].isspace() and character in " \n":
            return self._after_space(index)
        return index + 1

    def _after_escape(self, index: int) -> int:
        mark = self.raw[index + 1 : index + 2]
        if mark == "\n":  # a line that goes on: the next character is where the text does
            after = self._indented(index + 2)
            return after + 1
        return index + _ESCAPED.get(mark, 2)

    def _after_space(self, index: int) -> int:
        """Step over one blank, or over a line's end with the next line's indentation."""
        raw, end = self.raw, index
        while end < len(raw) and raw[end] in " \t\r":
            end += 1
        if end < len(raw) and raw[end] == "\n":
            return self._indented(end + 1)
        return index + 1

    def _indented(self, index: int) -> int:
        """Step over the indentation of a line; in a block, what goes beyond it is text."""
        end = index
        most = self._block_indent if self.style and self.style in "|>" else len(self.raw)
        while end < len(self.raw) and self.raw[end] in " \t" and end - index < most:
            end += 1
        return end

    @property
    def _block_indent(self) -> int:
        lines = self.raw.split("\n")[1:]
        return next((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), 0)
