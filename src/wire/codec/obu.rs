//! Splits an AV1 stream into its OBUs (AV1 §5.3).

/// Returns the OBUs of `data` with their types, up to the first invalid one.
pub(super) fn obus(mut data: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&header, mut rest) = data.split_first()?;
        if header & 4 != 0 {
            rest = rest.get(1..)?;
        }
        let mut size = rest.len();
        if header & 2 != 0 {
            size = 0;
            for place in 0..8 {
                let (&byte, after) = rest.split_first()?;
                size |= usize::from(byte & 0x7F) << (7 * place);
                rest = after;
                if byte & 0x80 == 0 {
                    break;
                }
            }
        }
        let (payload, after) = rest.split_at_checked(size)?;
        data = after;
        Some((header >> 3 & 0xF, payload))
    })
}
