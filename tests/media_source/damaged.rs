//! A looping file that is unreadable for a while.

use super::*;

/// Returns a WAV file: one second of a tone, mono, 48 kHz.
fn tone() -> Vec<u8> {
    let samples = (0..48_000_u32).map(|at| if at / 60 % 2 == 0 { 8_000_i16 } else { -8_000 });
    let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let bytes = u32::try_from(data.len()).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    file.extend(48_000_u32.to_le_bytes());
    file.extend(96_000_u32.to_le_bytes());
    file.extend(b"\x02\0\x10\0data");
    file.extend(bytes.to_le_bytes());
    file.extend(data);
    file
}

#[test]
fn a_looping_file_that_was_unreadable_for_a_while_plays_again() {
    peers::in_real_time!(a_looping_file_that_was_unreadable_for_a_while_plays_again);
    let folder = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (folder.path().join("loop.wav"), folder.path().join("away.wav"));
    std::fs::write(&path, tone()).unwrap();
    let (mut pulled, _runtime) = Pulled::open(&path, EndBehavior::Loop);
    let plays = |it: &Pulled| {
        it.media.audio_status.state() == SourceState::Open
            && it.samples.iter().rev().take(480).any(|it| it.abs() > 0.1)
    };
    let fails = |it: &Pulled| it.media.audio_status.state() == SourceState::Failed;
    pulled.until("its sound", plays);

    // A file that is moved away and back has the same stamp.
    std::fs::rename(&path, &elsewhere).unwrap();
    pulled.until("the failure", fails);
    let reason = pulled.media.audio_status.report().reason.to_string();
    assert_eq!(reason, "loop.wav no longer exists");
    std::fs::rename(&elsewhere, &path).unwrap();
    pulled.until("its sound after the move", plays);

    std::fs::write(&path, &tone()[..10]).unwrap();
    pulled.until("the other failure", fails);
    std::fs::write(&path, tone()).unwrap();
    pulled.until("its sound after the repair", plays);
}
