//! RTMP time: 32 bits of milliseconds that wrap every 49 d 17 h 2 min 47 s (RTMP 1.0, 3).

/// A message's time in milliseconds, modulo 2^32. It has no total order, therefore no `Ord`:
/// compare with [`Time::since`], which is serial arithmetic (RFC 1982).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Time(pub u32);

impl Time {
    /// `self + delta`, wrapping.
    #[must_use]
    pub const fn plus(self, delta_ms: u32) -> Self {
        Self(self.0.wrapping_add(delta_ms))
    }

    /// Signed milliseconds from `earlier` to `self`, right as long as they lie less than 24.8 days
    /// apart; negative where `earlier` is the later one.
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.wrapping_sub(earlier.0) as i32
    }

    /// Whether `self` comes before `other`.
    pub const fn is_before(self, other: Self) -> bool {
        self.since(other) < 0
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
        assert!(Time(u32::MAX).is_before(Time(0)));
        assert!(!Time(5).is_before(Time(5)));
    }
}
