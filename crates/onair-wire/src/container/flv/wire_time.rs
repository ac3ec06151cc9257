//! Converts 32-bit milliseconds of FLV and RTMP to microseconds without wrap-around.

/// Unwraps the times of one stream, for all its tracks together.
#[derive(Copy, Clone, Debug, Default)]
pub struct WireTime {
    /// The last time in milliseconds, with and without wrap-around.
    last: Option<(u32, i64)>,
}

impl WireTime {
    /// Continues after this time without wrap-around, in milliseconds.
    pub fn after(unwrapped: i64) -> Self {
        Self { last: Some((unwrapped as u32, unwrapped)) }
    }

    /// Converts a time to microseconds, by choosing the candidate nearest to the previous time. The
    /// first time is not changed.
    pub fn micros(&mut self, raw_ms: u32) -> i64 {
        let unwrapped = self.last.map_or(i64::from(raw_ms), |(last, unwrapped)| {
            unwrapped + i64::from(raw_ms.wrapping_sub(last).cast_signed())
        });
        self.last = Some((raw_ms, unwrapped));
        unwrapped * 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_on_over_the_end_of_32_bits_and_back() {
        let mut time = WireTime::default();
        let mut ms = |raw| time.micros(raw) / 1_000;
        let end = i64::from(u32::MAX);
        assert_eq!(
            [ms(u32::MAX - 9), ms(u32::MAX), ms(0), ms(33)],
            [end - 9, end, end + 1, end + 34]
        );
        assert_eq!([ms(u32::MAX - 4), ms(20)], [end - 4, end + 21]);
    }
}
