//! The balance of the audio written to a speaker.

/// Returns the number of speaker channels for audio with this many channels. A balance needs two
/// channels.
pub(crate) fn speaker_channels(channels: u16) -> u16 {
    channels.max(2)
}

/// Applies the balance to stereo or mono audio, and returns interleaved stereo.
pub(in crate::decode) fn lean(audio: &[f32], channels: u16, balance: f32, out: &mut Vec<f32>) {
    let gains = [(1.0 - balance).min(1.0), (1.0 + balance).min(1.0)];
    out.clear();
    if channels == 1 {
        out.extend(audio.iter().flat_map(|sample| gains.map(|gain| sample * gain)));
    } else {
        out.extend(audio.iter().zip(gains.iter().cycle()).map(|(sample, gain)| sample * gain));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balance_takes_from_one_side_and_leaves_the_other() {
        let mut out = vec![9.0];
        for (balance, expected) in
            [(-1.0, [0.5, 0.0]), (-0.5, [0.5, 0.25]), (0.5, [0.25, 0.5]), (1.0, [0.0, 0.5])]
        {
            for (audio, channels) in [(&[0.5; 4][..], 2), (&[0.5; 2], 1)] {
                lean(audio, channels, balance, &mut out);
                assert_eq!(out, [expected, expected].concat(), "{balance} {channels}");
            }
        }
    }
}
