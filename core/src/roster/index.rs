//! The index by key: at which slot the row with a hash may be.
//!
//! Open addressing with linear probing over places of eight bytes. The usual table keeps control bytes apart
//! from its buckets: of a million rows no cache holds either, and one is waited for after the other.

use alloc::boxed::Box;
use alloc::vec;

use super::order::NONE;

/// Places of the first table; always a power of two.
const FIRST_PLACES: usize = 8;

/// A row in the index.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Half of the key's hash: whether a row may be the one is known without looking at it, and the
    /// index grows without looking at any.
    hash: u32,
    /// [`NONE`] if the place is free.
    slot: u32,
}

const FREE: Place = Place { hash: 0, slot: NONE };

/// Slots by the hash of their row's key. At most seven eighths of the places are taken, so that a search ends.
#[derive(Debug, Default)]
pub(super) struct KeyIndex {
    places: Box<[Place]>,
    taken: usize,
}

impl KeyIndex {
    /// The first slot of this hash that `is_it`.
    pub(super) fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        self.place(hash, is_it).map(|at| self.places[at].slot)
    }

    /// Adds a slot that is not in the index.
    pub(super) fn insert(&mut self, hash: u32, slot: u32) {
        if (self.taken + 1) * 8 > self.places.len() * 7 {
            self.grow();
        }
        self.taken += 1;
        self.put(Place { hash, slot });
    }

    /// Takes a slot out; does nothing if it is not there.
    pub(super) fn remove(&mut self, hash: u32, slot: u32) {
        let Some(mut hole) = self.place(hash, |other| other == slot) else {
            return;
        };
        self.taken -= 1;
        // What stands behind closes up, as far as its own first place allows: no search may meet a hole
        // before what it looks for.
        let mut next = hole;
        loop {
            next = self.wrap(next + 1);
            let place = self.places[next];
            if place.slot == NONE {
                break;
            }
            let strayed = self.wrap(next.wrapping_sub(self.home(place.hash)));
            if strayed >= self.wrap(next.wrapping_sub(hole)) {
                self.places[hole] = place;
                hole = next;
            }
        }
        self.places[hole] = FREE;
    }

    fn place(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<usize> {
        if self.places.is_empty() {
            return None;
        }
        let mut at = self.home(hash);
        loop {
            let place = self.places[at];
            if place.slot == NONE {
                return None;
            }
            if place.hash == hash && is_it(place.slot) {
                return Some(at);
            }
            at = self.wrap(at + 1);
        }
    }

    fn put(&mut self, place: Place) {
        let mut at = self.home(place.hash);
        while self.places[at].slot != NONE {
            at = self.wrap(at + 1);
        }
        self.places[at] = place;
    }

    fn grow(&mut self) {
        let len = (self.places.len() * 2).max(FIRST_PLACES);
        let old = core::mem::replace(&mut self.places, vec![FREE; len].into());
        for place in old.into_iter().filter(|place| place.slot != NONE) {
            self.put(place);
        }
    }

    fn home(&self, hash: u32) -> usize {
        self.wrap(hash as usize)
    }

    fn wrap(&self, at: usize) -> usize {
        at & self.places.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Hashes that collide, lie side by side and run over the end, against a list that is searched through.
    #[test]
    fn finds_what_is_there_and_nothing_else() {
        let mut index = KeyIndex::default();
        let mut model: Vec<(u32, u32)> = Vec::new();
        let mut random = 1_u64;
        let mut draw = |below: u32| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as u32 % below
        };
        let hashes = [0, 1, 2, 6, 7, 8, 15, 16, 31, u32::MAX, u32::MAX - 1];
        assert_eq!(index.find(0, |_| true), None);
        for slot in 0..20_000 {
            // Grows and shrinks in turns, down to nothing.
            let grows = if slot / 1_000 % 2 == 0 { 2 } else { 0 };
            if draw(3) < grows || (model.is_empty() && grows > 0) {
                let hash = hashes[draw(hashes.len() as u32) as usize];
                index.insert(hash, slot);
                model.push((hash, slot));
            } else if !model.is_empty() {
                let (hash, gone) = model.swap_remove(draw(model.len() as u32) as usize);
                index.remove(hash, gone);
                index.remove(hash, gone);
                assert_eq!(index.find(hash, |slot| slot == gone), None);
            }
            assert_eq!(index.taken, model.len());
            if slot % 100 == 0 {
                for &(hash, slot) in &model {
                    assert_eq!(index.find(hash, |other| other == slot), Some(slot));
                }
                assert_eq!(index.find(3, |_| true), None);
            }
        }
        assert!(index.places.iter().filter(|place| place.slot != NONE).count() == model.len());
    }
}
