//! RTCP (RFC 3550): tells packets apart by their first bytes, which SRTCP does not encrypt.

/// The first bytes of a report about the arrival of all packets: transport-layer feedback with format 15
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
const LINK_REPORT_PREFIX: [u8; 2] = [0x8F, 205];
/// The bit in the first byte that says whether the packet ends with padding (RFC 3550 §6.4.1).
const PADDING_FLAG: u8 = 0x20;

/// Returns true for a report about the arrival of all packets, from which the bitrate of the link is estimated.
pub fn is_link_report(datagram: &[u8]) -> bool {
    matches!(datagram, [first, second, ..] if [first & !PADDING_FLAG, *second] == LINK_REPORT_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_packets_are_no_link_reports() {
        let padded_or_not = [0x8F, 0xAF].map(|first| is_link_report(&[first, 205, 0, 5]));
        let others = [&[0x81, 205][..], &[0x8F, 206], &[0xCF, 205], &[0x8F], &[]];
        assert!(padded_or_not == [true; 2] && !others.into_iter().any(is_link_report));
    }
}
