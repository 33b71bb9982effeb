//! Values to bytes and back: whole numbers in seven-bit groups, texts and lists behind their length, floats in little
//! endian. Decoding hostile bytes ends in an error, never in a panic or a large allocation.

use super::error::FeedbackError;
use super::ids::ID_BYTES;

/// Writes values one after the other.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    pub(super) fn byte(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    pub(super) fn flag(&mut self, value: bool) -> &mut Self {
        self.byte(u8::from(value))
    }

    pub(super) fn number(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8)
    }

    pub(super) fn float(&mut self, value: f32) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(super) fn id(&mut self, value: &[u8; ID_BYTES]) -> &mut Self {
        self.bytes.extend_from_slice(value);
        self
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.number(value.len() as u64);
        self.bytes.extend_from_slice(value.as_bytes());
        self
    }

    /// A list: how many there are, then each as `item` writes it.
    pub(super) fn list<T>(&mut self, items: &[T], item: impl Fn(&mut Self, &T)) -> &mut Self {
        self.number(items.len() as u64);
        items.iter().for_each(|value| item(self, value));
        self
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads values one after the other.
#[derive(Debug)]
pub(super) struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take(&mut self, n_bytes: usize) -> Result<&'a [u8], FeedbackError> {
        let (taken, rest) = self.rest.split_at_checked(n_bytes).ok_or_else(|| fault("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FeedbackError> {
        let bytes = self.take(N)?;
        Ok(std::array::from_fn(|idx| bytes[idx]))
    }

    pub(super) fn byte(&mut self) -> Result<u8, FeedbackError> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn flag(&mut self) -> Result<bool, FeedbackError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(fault("a flag is neither 0 nor 1")),
        }
    }

    pub(super) fn number(&mut self) -> Result<u64, FeedbackError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                return Err(fault("a number has more than 64 bits"));
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(fault("a number has more than 64 bits"))
    }

    /// A number that fits the asked type.
    pub(super) fn small<T: TryFrom<u64>>(&mut self) -> Result<T, FeedbackError> {
        T::try_from(self.number()?).map_err(|_| fault("a number is too large"))
    }

    pub(super) fn float(&mut self) -> Result<f32, FeedbackError> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    pub(super) fn id(&mut self) -> Result<[u8; ID_BYTES], FeedbackError> {
        self.array()
    }

    pub(super) fn text(&mut self) -> Result<String, FeedbackError> {
        let n_bytes = self.small()?;
        let bytes = self.take(n_bytes)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| fault("a text is not UTF-8"))
    }

    /// One of the values of a table, by its place.
    pub(super) fn choice<T: Copy>(&mut self, table: &[T]) -> Result<T, FeedbackError> {
        let code = usize::from(self.byte()?);
        table.get(code).copied().ok_or_else(|| fault("a code is unknown"))
    }

    /// A list as [`Encoder::list`] wrote it.
    pub(super) fn list<T>(
        &mut self,
        item: impl Fn(&mut Self) -> Result<T, FeedbackError>,
    ) -> Result<Vec<T>, FeedbackError> {
        let n_items: usize = self.small()?;
        // Each item has at least a byte, so a forged count cannot reserve more than what was read.
        if n_items > self.rest.len() {
            return Err(fault("a list is longer than its record"));
        }
        (0..n_items).map(|_| item(self)).collect()
    }

    /// Ends the reading; an error if something is left.
    pub(super) fn finish(self) -> Result<(), FeedbackError> {
        if self.rest.is_empty() { Ok(()) } else { Err(fault("it is longer than its content")) }
    }
}

fn fault(fault: &'static str) -> FeedbackError {
    FeedbackError::damaged("a feedback record", fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(number: u64, float: f32, text: String, list: Vec<u64>, flag: bool, id: [u8; 16]) {
            let mut encoder = Encoder::default();
            encoder.number(number).float(float).text(&text).flag(flag).id(&id);
            encoder.list(&list, |encoder, item| { encoder.number(*item); });
            let bytes = encoder.finish();
            let mut decoder = Decoder::new(&bytes);
            prop_assert_eq!(decoder.number().unwrap(), number);
            prop_assert_eq!(decoder.float().unwrap().to_bits(), float.to_bits());
            prop_assert_eq!(decoder.text().unwrap(), text);
            prop_assert_eq!(decoder.flag().unwrap(), flag);
            prop_assert_eq!(decoder.id().unwrap(), id);
            prop_assert_eq!(decoder.list(Decoder::number).unwrap(), list);
            decoder.finish().unwrap();
        }
    }

    #[test]
    fn forged_lengths_are_refused() {
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert!(Decoder::new(&huge).text().is_err());
        assert!(Decoder::new(&huge).list(Decoder::byte).is_err());
        assert!(Decoder::new(&[0xff; 10]).number().is_err());
        assert!(Decoder::new(&[2]).flag().is_err());
        assert!(Decoder::new(&[1, 0xff]).text().is_err());
        assert!(Decoder::new(&[0]).finish().is_err());
    }
}
