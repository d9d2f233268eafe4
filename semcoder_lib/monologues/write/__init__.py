"""The writers' side of forward monologues: a trace planned as a tree and told in forms."""
