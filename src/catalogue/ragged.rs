//! Rows of different length in one piece of memory.

/// Rows, by number.
#[derive(Debug, Clone, Default)]
pub struct Ragged<T> {
    /// Where each row ends in `values`, rising.
    ends: Vec<u32>,
    values: Vec<T>,
}

impl<T> Ragged<T> {
    /// Rows of these lengths over these values. `None` if the lengths do not sum up to the number of values.
    pub fn new(lengths: impl Iterator<Item = u32>, values: Vec<T>) -> Option<Self> {
        let mut ends = Vec::with_capacity(lengths.size_hint().0);
        let mut end = 0_u32;
        for length in lengths {
            end = end.checked_add(length)?;
            ends.push(end);
        }
        (end as usize == values.len()).then_some(Self { ends, values })
    }

    /// The values of a row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row_idx: usize) -> &[T] {
        let start = if row_idx == 0 { 0 } else { self.ends[row_idx - 1] as usize };
        &self.values[start..self.ends[row_idx] as usize]
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The values of all rows, one row after the other.
    pub fn values(&self) -> &[T] {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_their_values() {
        let rows = Ragged::new([2, 0, 1].into_iter(), vec!['a', 'b', 'c']).unwrap();
        assert_eq!((rows.row(0), rows.row(1), rows.row(2)), (&['a', 'b'][..], &[][..], &['c'][..]));
        assert!(Ragged::new([2].into_iter(), vec!['a']).is_none());
        assert!(Ragged::new([u32::MAX, 1].into_iter(), Vec::<u8>::new()).is_none());
    }
}
