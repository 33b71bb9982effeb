//! The container of the bundled binary files: eight bytes that name the kind, a version, the length, and one zstd frame
//! with a checksum, so that a cut or changed file is told apart from a good one before anything of it is used.
//!
//! Inside, a payload is a row of columns, each led by its length in bytes (`u32`, little-endian like every number).

/// Largest payload per byte of file; real files stay below 10. Bounds what a hostile length can make us allocate.
const MAX_EXPANSION: usize = 256;

/// Bytes in front of the zstd frame.
const HEADER_LEN: usize = 8 + 4 + 8;

/// zstd level for files that are written once and read often. Measured on the catalogue: 12 % smaller than level 9,
/// read as fast.
const LEVEL: i32 = 19;

/// Why the bytes of a packed file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackedError {
    /// The first bytes are those of something else.
    #[error("this is no {expected} file")]
    OtherKind {
        /// The kind that was asked for.
        expected: String,
    },
    /// The file was written by another version of this program.
    #[error("the file has format version {found}, this program reads version {supported}")]
    OtherVersion {
        /// Version in the file.
        found: u32,
        /// Version that can be read.
        supported: u32,
    },
    /// Bytes are missing or changed.
    #[error("the file is damaged: {what}")]
    Damaged {
        /// What does not hold.
        what: &'static str,
    },
    /// A value to be written does not fit the format.
    #[error("{what}: {found} is more than the {max} that the file can hold")]
    DoesNotFit {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        max: usize,
    },
}

/// Name and version of a kind of packed file.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// First bytes of the file.
    pub magic: [u8; 8],
    /// Version that is written and read.
    pub version: u32,
}

impl Kind {
    /// A file of this kind with this payload.
    ///
    /// # Errors
    /// The payload is too large for zstd to take (beyond 2 GiB).
    pub fn pack(&self, payload: &[u8]) -> Result<Vec<u8>, PackedError> {
        let too_large = PackedError::Damaged { what: "the payload cannot be compressed" };
        let mut compressor = zstd::bulk::Compressor::new(LEVEL).map_err(|_| too_large.clone())?;
        compressor.include_checksum(true).map_err(|_| too_large.clone())?;
        let frame = compressor.compress(payload).map_err(|_| too_large)?;
        let mut file = Vec::with_capacity(HEADER_LEN + frame.len());
        file.extend_from_slice(&self.magic);
        file.extend_from_slice(&self.version.to_le_bytes());
        file.extend_from_slice(&(payload.len() as u64).to_le_bytes());
        file.extend_from_slice(&frame);
        Ok(file)
    }

    /// The payload of a file of this kind. Allocates at most 256 bytes per byte of file.
    ///
    /// # Errors
    /// The file is of another kind or version, or damaged.
    pub fn unpack(&self, file: &[u8]) -> Result<Vec<u8>, PackedError> {
        let shown_name = || String::from_utf8_lossy(&self.magic).trim().to_owned();
        let (header, frame) =
            file.split_at_checked(HEADER_LEN).ok_or(PackedError::Damaged { what: "it ends inside its header" })?;
        if header[..8] != self.magic {
            return Err(PackedError::OtherKind { expected: shown_name() });
        }
        let mut version = [0; 4];
        version.copy_from_slice(&header[8..12]);
        let found = u32::from_le_bytes(version);
        if found != self.version {
            return Err(PackedError::OtherVersion { found, supported: self.version });
        }
        let mut length = [0; 8];
        length.copy_from_slice(&header[12..]);
        let claimed = usize::try_from(u64::from_le_bytes(length)).unwrap_or(usize::MAX);
        if claimed > frame.len().saturating_mul(MAX_EXPANSION) {
            return Err(PackedError::Damaged { what: "it claims more content than it can hold" });
        }
        let payload = zstd::bulk::decompress(frame, claimed)
            .map_err(|_| PackedError::Damaged { what: "bytes are missing or changed" })?;
        if payload.len() != claimed {
            return Err(PackedError::Damaged { what: "its length is not the one it states" });
        }
        Ok(payload)
    }
}

/// Writes the columns of a payload.
#[derive(Debug, Default)]
pub struct ColumnWriter {
    payload: Vec<u8>,
}

impl ColumnWriter {
    /// A single number.
    pub fn number(&mut self, value: u32) {
        self.payload.extend_from_slice(&value.to_le_bytes());
    }

    /// A column of bytes.
    ///
    /// # Errors
    /// More than 4 GiB.
    pub fn bytes(&mut self, column: &[u8]) -> Result<(), PackedError> {
        let too_long =
            |_| PackedError::DoesNotFit { what: "bytes of a column", found: column.len(), max: u32::MAX as usize };
        self.number(u32::try_from(column.len()).map_err(too_long)?);
        self.payload.extend_from_slice(column);
        Ok(())
    }

    /// A column of numbers as four planes, lowest bytes first: equal high bytes stand together and pack well.
    ///
    /// # Errors
    /// More than 4 GiB.
    pub fn numbers(&mut self, values: &[u32]) -> Result<(), PackedError> {
        let mut planes = Vec::with_capacity(values.len() * 4);
        for byte in 0..4 {
            planes.extend(values.iter().map(|value| value.to_le_bytes()[byte]));
        }
        self.bytes(&planes)
    }

    /// The payload written so far.
    pub fn finish(self) -> Vec<u8> {
        self.payload
    }
}

/// Reads the columns of a payload in the order in which they were written.
#[derive(Debug)]
pub struct ColumnReader<'a> {
    rest: &'a [u8],
}

impl<'a> ColumnReader<'a> {
    /// Reads from the start of the payload.
    pub fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    fn take(&mut self, n_bytes: usize) -> Result<&'a [u8], PackedError> {
        let (taken, rest) =
            self.rest.split_at_checked(n_bytes).ok_or(PackedError::Damaged { what: "a column is missing" })?;
        self.rest = rest;
        Ok(taken)
    }

    /// A single number.
    ///
    /// # Errors
    /// The payload has ended.
    pub fn number(&mut self) -> Result<u32, PackedError> {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.take(4)?);
        Ok(u32::from_le_bytes(bytes))
    }

    /// A column of bytes.
    ///
    /// # Errors
    /// The payload ends before the column does.
    pub fn bytes(&mut self) -> Result<&'a [u8], PackedError> {
        let n_bytes = self.number()? as usize;
        self.take(n_bytes)
    }

    /// A column of text.
    ///
    /// # Errors
    /// The payload ends before the column does, or the column is not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, PackedError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| PackedError::Damaged { what: "a text is not UTF-8" })
    }

    /// A column of numbers.
    ///
    /// # Errors
    /// The payload ends before the column does, or its length is no multiple of four.
    pub fn numbers(&mut self) -> Result<Vec<u32>, PackedError> {
        let planes = self.bytes()?;
        if !planes.len().is_multiple_of(4) {
            return Err(PackedError::Damaged { what: "a column of numbers is cut" });
        }
        let n = planes.len() / 4;
        let (p0, rest) = planes.split_at(n);
        let (p1, rest) = rest.split_at(n);
        let (p2, p3) = rest.split_at(n);
        let low = p0.iter().zip(p1);
        let high = p2.iter().zip(p3);
        Ok(low.zip(high).map(|((&a, &b), (&c, &d))| u32::from_le_bytes([a, b, c, d])).collect())
    }

    /// A column of exactly `n` bytes.
    ///
    /// # Errors
    /// The payload ends before the column does, or the column has another length.
    pub fn bytes_exactly(&mut self, n: usize) -> Result<&'a [u8], PackedError> {
        let column = self.bytes()?;
        if column.len() == n { Ok(column) } else { Err(PackedError::Damaged { what: "columns differ in length" }) }
    }

    /// A column of exactly `n` numbers.
    ///
    /// # Errors
    /// The payload ends before the column does, or the column has another length.
    pub fn numbers_exactly(&mut self, n: usize) -> Result<Vec<u32>, PackedError> {
        let column = self.numbers()?;
        if column.len() == n { Ok(column) } else { Err(PackedError::Damaged { what: "columns differ in length" }) }
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Something is left.
    pub fn finish(self) -> Result<(), PackedError> {
        if self.rest.is_empty() { Ok(()) } else { Err(PackedError::Damaged { what: "it goes on after its end" }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind { magic: *b"TESTFILE", version: 3 };

    #[test]
    fn columns_come_back() {
        let mut writer = ColumnWriter::default();
        writer.number(7);
        writer.bytes(b"surf").unwrap();
        writer.numbers(&[1, 70_000, u32::MAX]).unwrap();
        let payload = KIND.unpack(&KIND.pack(&writer.finish()).unwrap()).unwrap();
        let mut reader = ColumnReader::new(&payload);
        assert_eq!(reader.number(), Ok(7));
        assert_eq!(reader.text(), Ok("surf"));
        assert_eq!(reader.numbers_exactly(3), Ok(vec![1, 70_000, u32::MAX]));
        reader.finish().unwrap();
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let payload = "waves ".repeat(30).into_bytes();
        let file = KIND.pack(&payload).unwrap();
        for position in 0..file.len() {
            assert!(KIND.unpack(&file[..position]).is_err(), "cut at {position}");
            for bit in 0..8 {
                let mut changed = file.clone();
                changed[position] ^= 1 << bit;
                // A zstd frame has bits without meaning; what matters is that no other payload comes out.
                let unpacked = KIND.unpack(&changed);
                assert!(unpacked.is_err() || unpacked.as_ref() == Ok(&payload), "changed at {position}");
            }
        }
    }

    #[test]
    fn other_files_are_named() {
        let file = KIND.pack(b"").unwrap();
        let next = Kind { version: 4, ..KIND };
        assert_eq!(next.unpack(&file), Err(PackedError::OtherVersion { found: 3, supported: 4 }));
        let other = Kind { magic: *b"OTHER   ", version: 3 };
        assert_eq!(other.unpack(&file), Err(PackedError::OtherKind { expected: "OTHER".to_owned() }));
    }
}
