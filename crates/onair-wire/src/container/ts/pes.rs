//! Packetized elementary streams (ISO/IEC 13818-1 §2.4.3.6): assembles a unit with its times from
//! packet payloads.

/// The longest unit in bytes. The largest frames are a few megabytes long.
const MAX_UNIT_BYTES: usize = 8 << 20;

/// A unit in progress.
#[derive(Debug, Default)]
pub(super) struct Pes {
    data: Vec<u8>,
    /// True if the unit has begun and has no missing part.
    whole: bool,
}

/// A unit with its times.
#[derive(Debug)]
pub(super) struct Unit {
    pub pts: Option<u64>,
    pub dts: Option<u64>,
    pub data: Vec<u8>,
}

impl Pes {
    /// Adds a payload. Returns true if the unit is complete by its own length.
    pub fn push(&mut self, payload: &[u8], starts: bool) -> bool {
        if starts {
            self.data.clear();
            self.whole = true;
        }
        if !self.whole {
            return false;
        }
        if self.data.len() + payload.len() > MAX_UNIT_BYTES {
            self.drop_it();
            return false;
        }
        self.data.extend_from_slice(payload);
        match self.data.get(4..6) {
            Some(&[0, 0]) | None => false,
            Some(length) => {
                let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                self.data.len() >= length + 6
            }
        }
    }

    /// Discards the unit after lost data.
    pub fn drop_it(&mut self) {
        self.data = Vec::new();
        self.whole = false;
    }

    /// Returns the number of buffered bytes.
    pub fn held(&self) -> usize {
        self.data.len()
    }

    /// Takes the unit, if it is valid.
    pub fn take(&mut self) -> Option<Unit> {
        let data = std::mem::take(&mut self.data);
        if !std::mem::replace(&mut self.whole, false) {
            return None;
        }
        let &[0, 0, 1, _, high, low, marks, flags, header] = data.first_chunk::<9>()? else {
            return None;
        };
        if marks & 0xC0 != 0x80 {
            return None;
        }
        let mut fields = data.get(9..9 + usize::from(header))?;
        let mut next = || {
            let (bytes, rest) = fields.split_first_chunk::<5>()?;
            fields = rest;
            Some(stamp(*bytes))
        };
        let pts = if flags & 0x80 != 0 { next() } else { None };
        let dts = if flags & 0xC0 == 0xC0 { next() } else { None };
        let claimed = usize::from(u16::from_be_bytes([high, low]));
        let end = if claimed == 0 { data.len() } else { (claimed + 6).min(data.len()) };
        let data = data.get(9 + usize::from(header)..end)?.to_vec();
        Some(Unit { pts, dts, data })
    }
}

/// Reads a time: 33 bits between marker bits.
fn stamp([b0, b1, b2, b3, b4]: [u8; 5]) -> u64 {
    u64::from(b0 >> 1 & 7) << 30
        | u64::from(b1) << 22
        | u64::from(b2 >> 1) << 15
        | u64::from(b3) << 7
        | u64::from(b4 >> 1)
}
