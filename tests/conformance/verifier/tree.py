"""The tree of RFC 6962."""

from functools import reduce

from .reader import check, sha256


def parent(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01", left, right)


class Tree:
    """Grows leaf by leaf, and keeps of each level of 256 the subtrees that a storage has: level 0 are the leaves."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []
        self.subtrees: dict[tuple[int, int], bytes] = {}

    def add(self, leaf: bytes) -> None:
        height, node = 0, leaf
        self.subtrees[0, self.size] = leaf
        # Each one at the end of the size is a peak as high as what has grown so far.
        while self.size >> height & 1:
            node, height = parent(self.peaks.pop(), node), height + 1
            if height % 8 == 0:
                self.subtrees[height // 8, self.size >> height] = node
        self.peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        return reduce(lambda right, left: parent(left, right), reversed(self.peaks)) if self.peaks else sha256()


def root_of_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to, as in RFC 9162, section 2.1.3.2."""
    check(index < size, "the proof is of an entry after the last")
    last, node = size - 1, leaf
    for sibling in path:
        check(last > 0, "the proof is too long")
        if index & 1 or index == last:
            node = parent(sibling, node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = parent(node, sibling)
        index, last = index >> 1, last >> 1
    check(last == 0, "the proof is too short")
    return node
