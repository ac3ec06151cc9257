//! RTCP (RFC 3550): tells packets apart by their first bytes, which SRTCP does not encrypt.

/// The first bytes of a report about the arrival of all packets: transport-layer feedback with format 15
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
const LINK_REPORT_PREFIX: [u8; 2] = [0x8F, 205];
/// The bit in the first byte that says whether the packet ends with padding (RFC 3550 §6.4.1).
const PADDING_FLAG: u8 = 0x20;

/// The first bytes of RTP and RTCP (RFC 7983).
const RTP_FIRST_BYTES: std::ops::RangeInclusive<u8> = 128..=191;
/// The second bytes that identify RTCP (RFC 5761).
const RTCP_SECOND_BYTES: std::ops::RangeInclusive<u8> = 192..=223;

/// Returns true for datagrams that a viewer may send: all except media, and none that are too short to have a kind.
pub fn is_wanted_of_viewer(datagram: &[u8]) -> bool {
    matches!(datagram, [first, _, ..] if !RTP_FIRST_BYTES.contains(first)) || is_rtcp(datagram)
}

/// Returns true for RTCP.
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(
        datagram,
        [first, second, ..]
            if RTP_FIRST_BYTES.contains(first) && RTCP_SECOND_BYTES.contains(second)
    )
}

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
