//! Reads and writes bits, most significant bit first, with the Exp-Golomb codes of ITU-T H.264
//! §9.1. Reading past the end is an error, never a panic. No read value causes an allocation.

use thiserror::Error;

/// The reason why bits cannot be read.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// The bytes end before the value does.
    #[error("the bits end too early")]
    End,
    /// An Exp-Golomb code has more than 32 leading zeros.
    #[error("an Exp-Golomb code is longer than 32 bits")]
    TooLong,
}

/// Reads bits from bytes.
#[derive(Clone, Debug)]
pub struct BitReader<'a> {
    data: &'a [u8],
    /// Position in bits, never past the end.
    position: usize,
}

impl<'a> BitReader<'a> {
    /// Creates a reader at the first bit.
    pub const fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0 }
    }

    /// Returns the number of bits that were read so far.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Returns the number of bits that are left.
    pub const fn remaining(&self) -> usize {
        self.data.len() * 8 - self.position
    }

    /// Reads the next `count` bits (at most 32) as a number.
    pub fn bits(&mut self, count: u32) -> Result<u32, Error> {
        let count = count.min(32) as usize;
        if count > self.remaining() {
            return Err(Error::End);
        }
        let mut value = 0_u64;
        let mut left = count;
        while left > 0 {
            let byte = self.data.get(self.position / 8).copied().ok_or(Error::End)?;
            let available = 8 - self.position % 8;
            let take = available.min(left);
            let part = (u32::from(byte) >> (available - take)) & ((1 << take) - 1);
            value = (value << take) | u64::from(part);
            self.position += take;
            left -= take;
        }
        Ok(value as u32)
    }

    /// Reads the next `count` bits (at most 8) as a byte.
    pub fn byte(&mut self, count: u32) -> Result<u8, Error> {
        Ok(self.bits(count.min(8))? as u8)
    }

    /// Reads one bit.
    pub fn flag(&mut self) -> Result<bool, Error> {
        Ok(self.bits(1)? == 1)
    }

    /// Skips `count` bits.
    pub fn skip(&mut self, count: usize) -> Result<(), Error> {
        if count > self.remaining() {
            return Err(Error::End);
        }
        self.position += count;
        Ok(())
    }

    /// Reads an unsigned Exp-Golomb code, `ue(v)`.
    pub fn ue(&mut self) -> Result<u32, Error> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 32 {
                return Err(Error::TooLong);
            }
        }
        let rest = u64::from(self.bits(zeros)?);
        u32::try_from((1_u64 << zeros) - 1 + rest).map_err(|_| Error::TooLong)
    }

    /// Reads a signed Exp-Golomb code, `se(v)`.
    pub fn se(&mut self) -> Result<i32, Error> {
        let code = i64::from(self.ue()?);
        let value = if code % 2 == 1 { (code + 1) / 2 } else { -(code / 2) };
        i32::try_from(value).map_err(|_| Error::TooLong)
    }

    /// `more_rbsp_data()` (§7.2): true if data is left before the trailing bits.
    pub fn more_rbsp_data(&self) -> bool {
        let Some((last, byte)) = self.data.iter().enumerate().rev().find(|(_, byte)| **byte != 0)
        else {
            return false;
        };
        let stop_bit = last * 8 + 7 - byte.trailing_zeros() as usize;
        self.position < stop_bit
    }
}

/// Writes bits to bytes.
#[derive(Clone, Debug, Default)]
pub struct BitWriter {
    bytes: Vec<u8>,
    /// Number of used bits in the last byte; 0 if that byte is full, or there is none.
    used: u32,
}

impl BitWriter {
    /// Creates an empty writer with capacity for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), used: 0 }
    }

    /// Appends the low `count` bits (at most 32) of `value`.
    pub fn bits(&mut self, count: u32, value: u32) {
        for shift in (0..count.min(32)).rev() {
            self.flag((value >> shift) & 1 == 1);
        }
    }

    /// Appends one bit.
    pub fn flag(&mut self, set: bool) {
        if self.used == 0 {
            self.bytes.push(0);
        }
        if let (true, Some(last)) = (set, self.bytes.last_mut()) {
            *last |= 0x80 >> self.used;
        }
        self.used = (self.used + 1) % 8;
    }

    /// Appends an unsigned Exp-Golomb code.
    pub fn ue(&mut self, value: u32) {
        let code = u64::from(value) + 1;
        let length = 64 - code.leading_zeros();
        self.bits(length - 1, 0);
        self.flag(true);
        self.bits(length - 1, (code & ((1 << (length - 1)) - 1)) as u32);
    }

    /// Appends a signed Exp-Golomb code. `i32::MIN` has no code and is written as `i32::MIN + 1`.
    pub fn se(&mut self, value: i32) {
        let magnitude = value.unsigned_abs().min(i32::MAX as u32);
        self.ue(if value > 0 { 2 * magnitude - 1 } else { 2 * magnitude });
    }

    /// Copies the next `count` bits of `from`.
    pub fn copy(&mut self, from: &mut BitReader<'_>, count: usize) -> Result<(), Error> {
        for _ in 0..count {
            let bit = from.flag()?;
            self.flag(bit);
        }
        Ok(())
    }

    /// Appends a one bit and zeros up to the end of the byte (`rbsp_trailing_bits`).
    pub fn trailing_bits(&mut self) {
        self.flag(true);
        self.used = 0;
    }

    /// Returns the bytes; the last byte is padded with zeros.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_back() {
        let unsigned = [0, 1, 2, 3, 7, 8, 255, 65_535, 1 << 30, u32::MAX - 1];
        let signed = [0, 1, -1, 2, -2, 1_000, -1_000, i32::MAX, i32::MIN + 1];
        let mut writer = BitWriter::default();
        writer.bits(3, 0b101);
        unsigned.iter().for_each(|value| writer.ue(*value));
        signed.iter().for_each(|value| writer.se(*value));
        writer.trailing_bits();
        let bytes = writer.into_bytes();
        let mut reader = BitReader::new(&bytes);
        assert_eq!(reader.bits(3), Ok(0b101));
        for value in unsigned {
            assert_eq!(reader.ue(), Ok(value));
        }
        for value in signed {
            assert!(reader.more_rbsp_data());
            assert_eq!(reader.se(), Ok(value));
        }
        assert!(!reader.more_rbsp_data());
    }

    #[test]
    fn the_end_is_an_error() {
        let mut reader = BitReader::new(&[0xFF]);
        assert_eq!(reader.bits(9), Err(Error::End));
        assert_eq!(reader.bits(8), Ok(255));
        assert_eq!(reader.flag(), Err(Error::End));
        assert_eq!(reader.bits(0), Ok(0));
        assert_eq!(BitReader::new(&[0; 8]).ue(), Err(Error::TooLong));
        assert_eq!(BitReader::new(&[0; 2]).ue(), Err(Error::End));
    }
}
