//! Many short strings in one piece of memory, found by number or by content.

use std::hash::{BuildHasher, RandomState};

/// Marks a free place of the hash index.
const FREE: u32 = u32::MAX;

/// Distinct strings, numbered from 0 in the order in which they came.
#[derive(Debug, Clone)]
pub struct StringTable {
    bytes: String,
    /// Where each string ends in `bytes`.
    ends: Vec<u32>,
    /// Open addressing: numbers of strings, at most half full, a power of two long.
    slots: Vec<u32>,
    hasher: RandomState,
}

impl Default for StringTable {
    fn default() -> Self {
        Self::with_capacity(0, 0)
    }
}

impl StringTable {
    /// An empty table with room for strings and their bytes.
    pub fn with_capacity(n_strings: usize, n_bytes: usize) -> Self {
        let n_slots = (n_strings * 2 + 1).next_power_of_two().max(16);
        Self {
            bytes: String::with_capacity(n_bytes),
            ends: Vec::with_capacity(n_strings),
            slots: vec![FREE; n_slots],
            hasher: RandomState::new(),
        }
    }

    /// How many strings there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The string of this number.
    ///
    /// # Panics
    /// If there is none.
    pub fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let start = if number == 0 { 0 } else { self.ends[number - 1] as usize };
        &self.bytes[start..self.ends[number] as usize]
    }

    /// The number of this string, if it is here.
    pub fn find(&self, string: &str) -> Option<u32> {
        let found = self.slots[self.slot_of(string)];
        (found != FREE).then_some(found)
    }

    /// The number of this string, which is added if it is new. `None` if the table is full (4 GiB of text).
    pub fn insert(&mut self, string: &str) -> Option<u32> {
        let slot = self.slot_of(string);
        if self.slots[slot] != FREE {
            return Some(self.slots[slot]);
        }
        let end = u32::try_from(self.bytes.len() + string.len()).ok()?;
        let number = u32::try_from(self.ends.len()).ok().filter(|&number| number != FREE)?;
        self.bytes.push_str(string);
        self.ends.push(end);
        self.slots[slot] = number;
        if self.ends.len() * 2 > self.slots.len() {
            self.grow();
        }
        Some(number)
    }

    /// All strings in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len() as u32).map(|number| self.get(number))
    }

    /// The strings, one a line.
    pub fn to_lines(&self) -> String {
        let mut lines = String::with_capacity(self.bytes.len() + self.ends.len());
        for string in self.iter() {
            lines.push_str(string);
            lines.push('\n');
        }
        lines
    }

    /// The table of these lines. `None` if a line stands twice.
    pub fn from_lines(lines: &str) -> Option<Self> {
        let n_lines = lines.bytes().filter(|&byte| byte == b'\n').count();
        let mut table = Self::with_capacity(n_lines, lines.len());
        for line in lines.lines() {
            let n_before = table.len();
            table.insert(line)?;
            if table.len() == n_before {
                return None;
            }
        }
        Some(table)
    }

    /// Where the string is or would be put.
    fn slot_of(&self, string: &str) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = self.hasher.hash_one(string) as usize & mask;
        while self.slots[slot] != FREE && self.get(self.slots[slot]) != string {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.slots = vec![FREE; self.slots.len() * 2];
        let mask = self.slots.len() - 1;
        for number in 0..self.ends.len() as u32 {
            let mut slot = self.hasher.hash_one(self.get(number)) as usize & mask;
            while self.slots[slot] != FREE {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_equals_a_map(strings in prop::collection::vec("[a-c]{0,3}|.{0,4}", 0..200)) {
            let (mut table, mut model) = (StringTable::default(), BTreeMap::new());
            for string in &strings {
                let next = model.len() as u32;
                let expected = *model.entry(string.as_str()).or_insert(next);
                prop_assert_eq!(table.insert(string), Some(expected));
            }
            prop_assert_eq!(table.len(), model.len());
            for (string, &number) in &model {
                prop_assert_eq!(table.find(string), Some(number));
                prop_assert_eq!(table.get(number), *string);
            }
            prop_assert_eq!(table.find("not there"), None);
        }
    }

    #[test]
    fn lines_come_back() {
        let table = StringTable::from_lines("sea\nsand\nsurf\n").unwrap();
        assert_eq!(table.to_lines(), "sea\nsand\nsurf\n");
        assert_eq!(table.find("surf"), Some(2));
        assert!(StringTable::from_lines("sea\nsea\n").is_none());
    }
}
