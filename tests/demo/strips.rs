//! The strips of the audio mixer.

use super::*;

/// Three strips: the main strip with filters, music, and a guest who is only monitored.
pub(super) fn strips() -> Vec<StripView> {
    let filters = Filter::ALL_KINDS.map(|filter| Slot { enabled: true, filter });
    let view = |id, name: &str, choice, strip: Strip, peak_dbfs| StripView {
        audio: AudioStrip { name: name.into(), strip, ..AudioStrip::new(StripId(id), choice) },
        name: name.into(),
        device: String::new(),
        state: SourceState::Open,
        shown: true,
        held: false,
        has_no_audio: false,
        drift_ppm: None,
        meter: Reading {
            peak_dbfs,
            held_dbfs: peak_dbfs + 4.0,
            rms_dbfs: (peak_dbfs - 9.0).max(-60.0),
            channels_dbfs: Some([peak_dbfs, (peak_dbfs - 3.1).max(-60.0)]),
            ..Reading::default()
        },
    };
    let tracks = |number| ExtraTrack::new(number).into_iter().collect();
    let voice = Strip { filters: filters[3..8].to_vec(), tracks: tracks(2), ..Strip::default() };
    let music = Strip { gain_db: -12.0, balance: 0.2, tracks: tracks(3), ..Strip::default() };
    let guest = Strip {
        muted: true,
        monitoring: MonitoringMode::MonitorOnly,
        offset_us: -120_000,
        ..Strip::default()
    };
    let voice = view(0, "Voice", AudioChoice::Mic(None), voice, -14.2);
    let guest = view(2, "", AudioChoice::Mic(Some("yeti".into())), guest, -60.0);
    vec![
        StripView { drift_ppm: Some(-38.4), ..voice },
        view(1, "Music", AudioChoice::File("/home/ada/music.wav".into()), music, -31.0),
        StripView { state: SourceState::Lost, ..guest },
    ]
}
