//! Master playlists (RFC 8216 §4.3.4).

use crate::media::VideoCodec;
use crate::wire::hls::attributes::Attributes;
use crate::wire::hls::limits::{Error, MAX_VARIANTS};

/// Several variants of one stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Master {
    pub variants: Vec<Variant>,
    pub renditions: Vec<Rendition>,
}

/// One variant.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    pub uri: String,
    /// Peak bitrate in bits per second.
    pub bandwidth: u64,
    pub resolution: Option<(u32, u32)>,
    pub codecs: Option<String>,
    /// Frames per second.
    pub frame_rate: Option<f64>,
    /// True if the variant is HDR (`VIDEO-RANGE` is PQ or HLG).
    pub hdr: bool,
    /// Group of the variant's audio renditions, if these have separate playlists.
    pub audio: Option<String>,
}

impl Variant {
    /// Returns the video codec of the variant.
    pub fn video(&self) -> VariantVideo {
        let codecs = self.codecs.as_deref().unwrap_or_default().split(',').map(str::trim);
        let known = codecs.map(|codec| match codec.get(..4).unwrap_or(codec) {
            "avc1" | "avc3" => VariantVideo::Of(VideoCodec::H264),
            "hvc1" | "hev1" => VariantVideo::Of(VideoCodec::Hevc),
            "av01" => VariantVideo::Of(VideoCodec::Av1),
            "vp09" | "vp9" => VariantVideo::Of(VideoCodec::Vp9),
            "vvc1" | "vvi1" => VariantVideo::Of(VideoCodec::Vvc),
            // The codec names of Dolby Vision.
            "dvh1" | "dvhe" | "dva1" | "dvav" | "dav1" => VariantVideo::Unknown,
            _ => VariantVideo::Undeclared,
        });
        known.fold(VariantVideo::Undeclared, |found, it| {
            if it == VariantVideo::Undeclared { found } else { it }
        })
    }

    /// Returns true if the variant declares audio only.
    pub fn is_audio_only(&self) -> bool {
        self.resolution.is_none()
            && self.codecs.as_ref().is_some_and(|codecs| {
                codecs.split(',').map(str::trim).all(|codec| {
                    ["mp4a", "ac-3", "ec-3", "opus", "Opus", "fLaC"]
                        .iter()
                        .any(|it| codec.starts_with(it))
                })
            })
    }
}

/// The video codec of a variant, if declared.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum VariantVideo {
    Of(VideoCodec),
    /// An unknown codec.
    Unknown,
    /// The codec is not declared, or there is no video.
    Undeclared,
}

/// An audio playlist for a group of variants.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendition {
    pub group: String,
    pub name: String,
    /// The address of the playlist; `None` if the audio is inside the variant.
    pub uri: Option<String>,
    pub default: bool,
}

impl Master {
    /// Returns the separate audio playlist of a variant: the default one, or the first.
    pub fn audio_of(&self, variant: &Variant) -> Option<&Rendition> {
        let group = variant.audio.as_ref()?;
        let of_group = || self.renditions.iter().filter(|one| one.group == *group);
        let one = of_group().find(|one| one.default).or_else(|| of_group().next())?;
        one.uri.is_some().then_some(one)
    }
}

/// Parses a plausible frame rate.
fn rate(text: &str) -> Option<f64> {
    text.parse().ok().filter(|rate| (1.0..=1_000.0).contains(rate))
}

pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Master, Error> {
    let mut master = Master::default();
    let mut next: Option<Attributes<'_>> = None;
    for line in lines {
        if let Some(list) = line.strip_prefix("#EXT-X-STREAM-INF:") {
            next = Some(Attributes::parse(list));
        } else if let Some(list) = line.strip_prefix("#EXT-X-MEDIA:") {
            let list = Attributes::parse(list);
            if list.get("TYPE") != Some("AUDIO") {
                continue;
            }
            if master.renditions.len() >= MAX_VARIANTS {
                return Err(Error::TooMany(MAX_VARIANTS));
            }
            let text = |name| list.get(name).map(str::to_owned);
            master.renditions.push(Rendition {
                group: text("GROUP-ID").ok_or(Error::Tag("EXT-X-MEDIA"))?,
                name: text("NAME").unwrap_or_default(),
                uri: text("URI"),
                default: list.get("DEFAULT") == Some("YES"),
            });
        } else if !line.starts_with('#')
            && let Some(list) = next.take()
        {
            if master.variants.len() >= MAX_VARIANTS {
                return Err(Error::TooMany(MAX_VARIANTS));
            }
            let resolution = list.get("RESOLUTION").and_then(|size| {
                let (width, height) = size.split_once(['x', 'X'])?;
                Some((width.parse().ok()?, height.parse().ok()?))
            });
            master.variants.push(Variant {
                uri: line.to_owned(),
                bandwidth: list.get("BANDWIDTH").and_then(|text| text.parse().ok()).unwrap_or(0),
                resolution,
                codecs: list.get("CODECS").map(str::to_owned),
                frame_rate: list.get("FRAME-RATE").and_then(rate),
                hdr: matches!(list.get("VIDEO-RANGE"), Some("PQ" | "HLG")),
                audio: list.get("AUDIO").map(str::to_owned),
            });
        }
    }
    if master.variants.is_empty() { Err(Error::Empty) } else { Ok(master) }
}
