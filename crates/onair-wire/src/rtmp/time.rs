//! RTMP time: 32 bits of milliseconds that wrap every 49 d 17 h 2 min 47 s (RTMP 1.0, 3).

/// Time of a message in milliseconds, modulo 2^32. Such times have no total order and therefore no
/// `Ord`. Compare them with [`Time::since`], which is serial arithmetic (RFC 1982).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Time(pub u32);

impl Time {
    /// Returns `self + delta`, wrapping.
    #[must_use]
    pub const fn plus(self, delta_ms: u32) -> Self {
        Self(self.0.wrapping_add(delta_ms))
    }

    /// Returns the milliseconds from `earlier` to `self`, correct up to a distance of 24.8 days;
    /// negative if `earlier` is later.
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_around() {
        assert_eq!(Time(u32::MAX).plus(60), Time(59));
        assert_eq!(Time(59).since(Time(u32::MAX)), 60);
        assert_eq!(Time(u32::MAX).since(Time(59)), -60);
    }
}
