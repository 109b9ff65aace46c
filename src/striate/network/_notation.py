"""Networks written on one line: "conv 32 3 pad 1 | relu | max 2 | flatten | dense 10".

network:  layer | layer | …
layer:    a word and its values, as in Layer.notation
          residual ( network )             the sum of network(x) and x
          residual ( network ; network )   with a shortcut other than x
          parallel ( network ; network … ) branches, concatenated over the channels
"""

import re

from striate.errors import NetworkError
from striate.network._spec_block import Item, Parallel, Residual
from striate.network._vocabulary import BLOCKS, read_layer
from striate.network._words import MisreadError, Word

DEEPEST = 20
"""Blocks inside blocks."""

_WORD = re.compile(r"[|;()]|[^\s|;()]+")
_SEPARATORS = ("|", ";", "(", ")")


def parse(text: str) -> tuple[Item, ...]:
    """Return the layers of a written network.

    Raises NetworkError for words that aren't understood: with the layer's number (as in the
    message of a network that doesn't fit), its words with the place underlined, what was expected
    and the nearest right word.

    >>> [layer.notation for layer in parse("conv 32 3×5 pad same | relu")]
    ['conv 32 3x5 pad same', 'relu']
    """
    return _Parser(text).network()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.words = [Word(m[0].lower(), m.start(), m.end()) for m in _WORD.finditer(text)]
        self.at = 0
        self.number = 0
        self.start = 0

    def network(self) -> tuple[Item, ...]:
        try:
            items = self._chain(0)
            self._end()
        except MisreadError as error:
            raise NetworkError(self._letter(error)) from None
        return items

    def _chain(self, depth: int) -> tuple[Item, ...]:
        items = [self._item(depth)]
        while self._is("|"):
            items.append(self._item(depth))
        return tuple(items)

    def _item(self, depth: int) -> Item:
        self.number += 1
        words = self._layer_words()
        if not words:
            got = f"'{self.words[self.at].text}'" if self.at < len(self.words) else "the end"
            raise MisreadError(f"expected a layer, got {got}.", self._here())
        self.start = words[0].start
        if words[0].text in BLOCKS:
            return self._block(words, depth)
        self._no_bracket()
        try:
            return read_layer(words)
        except NetworkError as error:
            whole = Word("", words[0].start, words[-1].end)
            why = str(error)
            raise MisreadError(why[0].lower() + why[1:], whole) from None

    def _block(self, words: list[Word], depth: int) -> Item:
        word = words[0]
        if len(words) > 1 or not self._is("("):
            place = words[1] if len(words) > 1 else self._here()
            raise MisreadError(f"expected '(' after '{word.text}'.", place)
        if depth == DEEPEST:
            raise MisreadError(f"blocks can be nested {DEEPEST} deep at most.", word)
        self.number -= 1
        branches = [self._chain(depth + 1)]
        while self._is(";"):
            branches.append(self._chain(depth + 1))
        self.start = word.start
        if not self._is(")"):
            raise MisreadError(f"expected ')' to end '{word.text}', got nothing.", self._here())
        # The sum or concatenation at the end of a block counts as a layer, as in the layer table.
        self.number += 1
        behind = self._layer_words()
        if behind:
            raise MisreadError("expected '|' after ')'.", behind[0])
        return self._made(word, branches)

    def _made(self, word: Word, branches: list[tuple[Item, ...]]) -> Item:
        if word.text == "parallel":
            if len(branches) < 2:
                raise MisreadError("parallel needs 2 branches or more, parted by ';'.", word)
            return Parallel(tuple(branches))
        if len(branches) > 2:
            raise MisreadError(
                f"residual takes a body and at most one shortcut, got {len(branches)} branches.",
                word,
            )
        return Residual(*branches)

    def _layer_words(self) -> list[Word]:
        """Return the words up to the next separator, and go on to it."""
        first = self.at
        while self.at < len(self.words) and self.words[self.at].text not in _SEPARATORS:
            self.at += 1
        return self.words[first : self.at]

    def _is(self, separator: str) -> bool:
        """Return whether this separator comes next, and go on behind it."""
        found = self.at < len(self.words) and self.words[self.at].text == separator
        self.at += found
        return found

    def _no_bracket(self) -> None:
        if self.at < len(self.words) and self.words[self.at].text == "(":
            raise MisreadError("'(' comes only after residual or parallel.", self._here())

    def _end(self) -> None:
        if self.at == len(self.words):
            return
        text = self.words[self.at].text
        if text == ")":
            raise MisreadError("')' closes nothing: there is no '(' for it.", self._here())
        raise MisreadError(
            f"'{text}' parts the branches of a block, and here is none. Put '|' between layers.",
            self._here(),
        )

    def _here(self) -> Word | None:
        return self.words[self.at] if self.at < len(self.words) else None

    def _letter(self, error: MisreadError) -> str:
        """Return the message: layer, what is wrong, and its words with the place underlined."""
        place = error.word or Word("", len(self.text.rstrip()) + 1, len(self.text.rstrip()) + 2)
        if error.word is None and self.at < len(self.words):
            end = self.words[self.at - 1].end
            place = Word("", end + 1, end + 2)
        start = min(self.start, place.start)
        stop = max([place.end, *(w.end for w in self.words[: self.at] if w.start >= start)])
        shown = re.sub(r"\s", " ", self.text[start:stop])
        marks = " " * (place.start - start) + "^" * (place.end - place.start)
        return f"Layer {self.number}: {error.why}\n    {shown.rstrip()}\n    {marks}"
