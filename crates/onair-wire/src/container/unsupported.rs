//! Names of tracks without a decoder, for users and (as in ffprobe) for programs.

use crate::media::{TrackKind, UnsupportedTrack};

/// Maximum number of tracks without a decoder that are reported per file or stream.
const MAX_REPORTED_TRACKS: usize = 16;

/// Codecs by their name in MP4 and QuickTime, with their names in ffprobe and for users.
const FOUR_CC_NAMES: &[(&[u8; 4], &str, &str)] = &[
    (b"alac", "alac", "ALAC"),
    (b"dtsc", "dts", "DTS"),
    (b"dtse", "dts", "DTS"),
    (b"dtsh", "dts", "DTS"),
    (b"dtsl", "dts", "DTS"),
    (b"dtsx", "dts", "DTS"),
    (b"mlpa", "truehd", "TrueHD"),
    (b"ac-4", "ac4", "AC-4"),
    (b"mha1", "mpegh_3d_audio", "MPEG-H"),
    (b"mhm1", "mpegh_3d_audio", "MPEG-H"),
    (b"samr", "amr_nb", "AMR"),
    (b"sawb", "amr_wb", "AMR-WB"),
    (b"ima4", "adpcm_ima_qt", "IMA ADPCM"),
    (b"apch", "prores", "ProRes"),
    (b"apcn", "prores", "ProRes"),
    (b"apcs", "prores", "ProRes"),
    (b"apco", "prores", "ProRes"),
    (b"ap4h", "prores", "ProRes"),
    (b"ap4x", "prores", "ProRes"),
    (b"jpeg", "mjpeg", "Motion JPEG"),
    (b"mjpa", "mjpeg", "Motion JPEG"),
    (b"vvc1", "vvc", "VVC"),
    (b"vvi1", "vvc", "VVC"),
    (b"avs3", "avs3", "AVS3"),
    (b"encv", "unknown", "encrypted"),
    (b"enca", "unknown", "encrypted"),
];

/// Codecs by their name in Matroska, with their names in ffprobe and for users.
const MATROSKA_CODECS: &[(&str, &str, &str)] = &[
    ("A_VORBIS", "vorbis", "Vorbis"),
    ("A_DTS", "dts", "DTS"),
    ("A_TRUEHD", "truehd", "TrueHD"),
    ("A_MLP", "mlp", "MLP"),
    ("A_ALAC", "alac", "ALAC"),
    ("A_WAVPACK4", "wavpack", "WavPack"),
    ("A_TTA1", "tta", "TTA"),
    ("V_THEORA", "theora", "Theora"),
    ("V_PRORES", "prores", "ProRes"),
    ("V_MJPEG", "mjpeg", "Motion JPEG"),
    ("V_FFV1", "ffv1", "FFV1"),
    ("V_MPEG1", "mpeg1video", "MPEG-1"),
    ("V_MPEG2", "mpeg2video", "MPEG-2"),
    ("V_MPEGI/ISO/VVC", "vvc", "VVC"),
    ("V_MPEG4/ISO/AVC", "h264", "H.264"),
    ("V_MPEGH/ISO/HEVC", "hevc", "HEVC"),
];

/// Adds a track to the known ones. Returns true if it is new and within the limit.
pub fn note(known: &mut Vec<UnsupportedTrack>, track: &UnsupportedTrack) -> bool {
    let new = known.len() < MAX_REPORTED_TRACKS && !known.contains(track);
    if new {
        known.push(track.clone());
    }
    new
}

/// Describes a track of an MP4 file by its handler type and the type of its sample entry.
/// Returns `None` for tracks that are neither video nor audio.
pub fn of_mp4(handler: [u8; 4], name: [u8; 4]) -> Option<UnsupportedTrack> {
    let kind = match &handler {
        b"vide" => TrackKind::Video,
        b"soun" => TrackKind::Audio,
        _ => return None,
    };
    let known = FOUR_CC_NAMES.iter().find(|(known, ..)| **known == name);
    let bare = || name.escape_ascii().to_string().trim().to_owned();
    Some(UnsupportedTrack {
        kind,
        codec: known.map_or_else(bare, |(_, codec, _)| (*codec).to_owned()),
        name: known.map_or_else(bare, |(.., name)| (*name).to_owned()),
    })
}

/// Describes a track of a Matroska file by its type and codec.
pub fn of_mkv(track_type: u64, codec: &str) -> Option<UnsupportedTrack> {
    let kind = match track_type {
        1 => TrackKind::Video,
        2 => TrackKind::Audio,
        _ => return None,
    };
    let known = MATROSKA_CODECS.iter().find(|(known, ..)| codec.starts_with(known));
    // The name comes from the file, so its length is limited.
    let bare =
        || -> String { codec.chars().filter(|c| !c.is_control()).skip(2).take(32).collect() };
    Some(UnsupportedTrack {
        kind,
        codec: known.map_or_else(|| bare().to_ascii_lowercase(), |(_, codec, _)| (*codec).into()),
        name: known.map_or_else(bare, |(.., name)| (*name).to_owned()),
    })
}

/// Describes a stream of a transport stream by its type.
pub fn of_ts(stream_type: u8) -> UnsupportedTrack {
    let (kind, codec, name) = match stream_type {
        0x01 => (TrackKind::Video, "mpeg1video", "MPEG-1"),
        0x02 => (TrackKind::Video, "mpeg2video", "MPEG-2"),
        0x10 => (TrackKind::Video, "mpeg4", "MPEG-4 part 2"),
        0x33 => (TrackKind::Video, "vvc", "VVC"),
        0x11 => (TrackKind::Audio, "aac_latm", "AAC-LATM"),
        0x80 => (TrackKind::Audio, "pcm_bluray", "Blu-ray LPCM"),
        0x83 => (TrackKind::Audio, "truehd", "TrueHD"),
        0x82 | 0x85 | 0x86 | 0x8A => (TrackKind::Audio, "dts", "DTS"),
        _ => (TrackKind::Video, "unknown", "unknown"),
    };
    UnsupportedTrack { kind, codec: codec.to_owned(), name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onair_base::text::Problem;

    #[test]
    fn tracks_are_called_as_people_and_ffprobe_do() {
        let fields = |it: Option<UnsupportedTrack>| {
            it.map(|it| (Problem::from(&it).to_string(), it.kind_name(), it.codec))
        };
        let some = |name: &str, kind, codec: &str| Some((name.to_owned(), kind, codec.to_owned()));
        let alac = of_mp4(*b"soun", *b"alac");
        assert_eq!(fields(alac), some("ALAC audio", "audio", "alac"));
        let raw = of_mp4(*b"vide", *b"xyz ");
        assert_eq!(fields(raw), some("xyz video", "video", "xyz"));
        assert_eq!(of_mp4(*b"text", *b"tx3g"), None);
        let dts = of_mkv(2, "A_DTS/EXPRESS");
        assert_eq!(fields(dts), some("DTS audio", "audio", "dts"));
        let odd = of_mkv(1, "V_QUICKTIME");
        assert_eq!(fields(odd), some("QUICKTIME video", "video", "quicktime"));
        assert_eq!(of_mkv(17, "S_TEXT/UTF8"), None);
        let latm = Some(of_ts(0x11));
        assert_eq!(fields(latm), some("AAC-LATM audio", "audio", "aac_latm"));
    }
}
