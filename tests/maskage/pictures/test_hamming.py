import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskage.pictures import hamming
from maskage.pictures.hamming import find_close_pairs

BITS = st.integers(0, 2**64 - 1)


def plain_pairs(hashes: list[int], radius: int) -> list[tuple[int, int, int]]:
    return [
        (i, j, bits)
        for i in range(len(hashes))
        for j in range(i + 1, len(hashes))
        if (bits := (hashes[i] ^ hashes[j]).bit_count()) <= radius
    ]


def test_pairs_come_sorted_with_their_distance() -> None:
    pairs = find_close_pairs(np.array([0b1111, 0b0000, 0b1110, 2**63], np.uint64), 3)
    assert list(zip(pairs.first, pairs.second, pairs.bits, strict=True)) == [
        (0, 2, 1),
        (1, 2, 3),
        (1, 3, 1),
    ]


def test_no_hashes_and_one_hash_have_no_pairs() -> None:
    assert len(find_close_pairs(np.array([], np.uint64), 8)) == 0
    assert len(find_close_pairs(np.array([7], np.uint64), 8)) == 0


def test_a_radius_beyond_the_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 64 bits; found 65"):
        find_close_pairs(np.array([7], np.uint64), 65)


@given(st.lists(st.one_of(BITS, st.sampled_from([0, 1, 3, 2**63])), max_size=20), st.integers(0, 9))
def test_every_pair_is_found_and_no_other(hashes: list[int], radius: int) -> None:
    pairs = find_close_pairs(np.array(hashes, np.uint64), radius)
    found = list(zip(pairs.first.tolist(), pairs.second.tolist(), pairs.bits.tolist(), strict=True))
    assert found == plain_pairs(hashes, radius)


@pytest.mark.parametrize("radius", [0, 1, 2, 4, 7, 8])
def test_the_sorting_search_finds_what_comparing_all_finds(radius: int) -> None:
    rng = np.random.default_rng(radius)
    # Enough that the search sorts: half of them a few flips from the other half.
    hashes = rng.integers(0, 2**64, 12_000, dtype=np.uint64)
    for _ in range(radius + 1):
        hashes[6000:] ^= np.uint64(1) << rng.integers(0, 64, 6000, dtype=np.uint64)
    hashes[6000 : 6000 + 3000] = hashes[:3000] ^ (np.uint64(1) << np.uint64(radius))
    pairs = find_close_pairs(hashes, radius)
    expected = set()
    for start in range(0, len(hashes), 1000):
        near = np.bitwise_count(hashes[start : start + 1000, None] ^ hashes[None]) <= radius
        rows, columns = np.nonzero(near)
        keep = rows + start < columns
        expected |= set(zip((rows[keep] + start).tolist(), columns[keep].tolist(), strict=True))
    assert set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == expected
    if radius:
        assert len(expected) >= 3000


@settings(deadline=None)
@given(st.lists(BITS, max_size=12), st.lists(BITS, max_size=12), st.integers(0, 40))
def test_queries_meet_every_hash(hashes: list[int], queries: list[int], radius: int) -> None:
    pairs = find_close_pairs(np.array(hashes, np.uint64), radius, np.array(queries, np.uint64))
    assert list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == [
        (i, j)
        for i, one in enumerate(hashes)
        for j, other in enumerate(queries)
        if (one ^ other).bit_count() <= radius
    ]


@pytest.mark.parametrize("blocks_more", [1, 2, 3])
@pytest.mark.parametrize("radius", [0, 1, 3, 4, 8])
def test_every_way_of_cutting_hashes_finds_the_same(
    radius: int, blocks_more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(radius)
    distinct = rng.integers(0, 2**64, 120, dtype=np.uint64)
    flipped = distinct ^ (np.uint64(1) << rng.integers(0, 64, 120, dtype=np.uint64))
    few = rng.integers(0, 40, 120, dtype=np.uint64)
    hashes = np.concatenate([distinct, flipped, few, np.zeros(20, np.uint64)])
    queries = np.concatenate([distinct[:40] ^ np.uint64(5), few[:30]])
    # As few hashes as these are compared all with all, where nobody insists.
    monkeypatch.setattr(hamming, "_choose_blocks", lambda *_: radius + blocks_more)
    pairs = find_close_pairs(hashes, radius)
    found = list(zip(pairs.first.tolist(), pairs.second.tolist(), pairs.bits.tolist(), strict=True))
    assert found == plain_pairs(hashes.tolist(), radius)
    asked = find_close_pairs(hashes, radius, queries)
    bits = np.bitwise_count(hashes[:, None] ^ queries[None, :])
    expected = np.argwhere(bits <= radius).tolist()
    assert np.column_stack([asked.first, asked.second]).tolist() == expected
