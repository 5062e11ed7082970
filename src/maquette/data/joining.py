"""What belongs together, directly or through others."""


class Joined:
    """Union-find (Tarjan 1975): which indices are in one group."""

    def __init__(self, count: int):
        """All apart."""
        self._parent = list(range(count))

    def root(self, index: int) -> int:
        while self._parent[index] != index:
            self._parent[index] = self._parent[self._parent[index]]
            index = self._parent[index]
        return index

    def join(self, one: int, other: int) -> None:
        one, other = self.root(one), self.root(other)
        self._parent[max(one, other)] = min(one, other)

    def groups(self) -> list[list[int]]:
        """Those with several members, sorted."""
        members: dict[int, list[int]] = {}
        for index in range(len(self._parent)):
            members.setdefault(self.root(index), []).append(index)
        return [group for group in members.values() if len(group) > 1]
