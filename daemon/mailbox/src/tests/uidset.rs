#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use super::*;

/// The set and a plain one agree in all that can be asked.
fn same(set: &UidSet, plain: &BTreeSet<u32>) {
    assert_eq!(set.len(), plain.len());
    assert_eq!(set.last(), plain.last().copied());
    assert!(set.iter().eq(plain.iter().copied()));
    let mut last = None;
    for (first, end) in set.ranges(0, Uid::MAX) {
        assert!(last.is_none_or(|last: u32| last + 1 < first), "runs that touch");
        last = Some(end);
    }
    for (index, &uid) in plain.iter().enumerate().step_by(1 + plain.len() / 200) {
        assert_eq!(set.nth(index), Some(uid));
        assert_eq!(set.index(uid), Some(index));
        assert_eq!(set.rank(uid + 1), index + 1);
        assert_eq!(set.contains(uid + 1), plain.contains(&(uid + 1)));
    }
    assert_eq!(set.nth(plain.len()), None);
}

#[test]
fn agrees_with_a_plain_set_after_random_changes() {
    for seed in 1..17_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut random = move |below: u32| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % u64::from(below)) as u32
        };
        let spread = [50, 5_000, 40_000, 100_000][seed as usize % 4];
        let longest = [1, 3, 40, 2_000][(seed / 4) as usize % 4];
        let (mut set, mut plain) = (UidSet::default(), BTreeSet::new());
        for step in 0..150 {
            let first = random(spread) + 1;
            let last = first + random(longest);
            let (before, plain_before) = if step % 10 == 0 {
                (set.clone(), plain.clone())
            } else {
                Default::default()
            };
            if random(3) > 0 {
                set.insert(first, last);
                plain.extend(first..=last);
            } else {
                set.remove(first, last);
                plain.retain(|uid| !(first..=last).contains(uid));
            }
            if step % 10 > 0 {
                continue;
            }
            let gone: Vec<u32> = before.minus(&set).into_iter().flat_map(|(a, b)| a..=b).collect();
            assert!(gone.iter().eq(plain_before.difference(&plain)), "seed {seed}");
            if step % 50 == 0 {
                same(&set, &plain);
            }
        }
        same(&set, &plain);
        let (from, to) = (spread / 3, spread / 2);
        let part: Vec<u32> = set.ranges(from, to).flat_map(|(a, b)| a..=b).collect();
        assert!(part.iter().eq(plain.range(from..=to)));
        assert_eq!(UidSet::from_ranges(set.ranges(0, Uid::MAX)), set);
    }
}

/// A session that sits on a large mailbox must not hold what the mailbox holds.
#[test]
fn a_large_set_is_small() {
    let mut set = UidSet::from_ranges([(1, 1_000_000)]);
    assert!(set.heap_bytes() < 4096, "{} bytes", set.heap_bytes());
    for uid in (1..1_000_000).step_by(2) {
        set.remove(uid, uid);
    }
    assert_eq!(set.len(), 500_000);
    assert!(set.heap_bytes() < 140_000, "{} bytes", set.heap_bytes());
    let mut few = UidSet::default();
    few.insert(1, 300);
    assert!(few.heap_bytes() <= 128, "{} bytes", few.heap_bytes());
}

#[test]
fn the_ends_of_the_numbers() {
    let mut set = UidSet::from_ranges([(u32::MAX, u32::MAX), (u32::MAX - 1, u32::MAX - 1)]);
    assert_eq!(
        set.ranges(0, u32::MAX).collect::<Vec<_>>(),
        [(u32::MAX - 1, u32::MAX)]
    );
    set.remove(0, u32::MAX);
    assert!(set.is_empty());
    assert_eq!(
        (set.len(), set.last(), set.nth(0), set.rank(7)),
        (0, None, None, 0)
    );
    set.insert(5, 4);
    assert!(set.is_empty());
    // A run over several chunks is one.
    set.insert(10, 100_000);
    assert_eq!(set.ranges(20, 90_000).collect::<Vec<_>>(), [(20, 90_000)]);
}
