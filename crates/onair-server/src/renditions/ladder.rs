//! The renditions that a server offers for a stream: smaller sizes, and the audio alone. This module is
//! pure.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use crate::compose::filter::WatermarkImage;
use crate::encode::config::{Choice, Preset, Profile, RateControl, Video};
use crate::media::{BitsPerSecond, FrameRate, Size};
use crate::server::access::stream_pattern::matches;
use crate::server::renditions::load::expected_cores;
use crate::server::renditions::watermark::Watermark;
use crate::text::problem::{Problem, problem};

/// Maximum number of a stream's renditions with video; `audio` is not counted.
pub const MAX_RENDITIONS: usize = 8;
/// Minimum and maximum height.
const HEIGHT_RANGE_PIXELS: (u32, u32) = (96, 2_160);
/// Minimum and maximum bitrate in bits per second.
const BITRATE_RANGE_BPS: (u32, u32) = (50_000, 50_000_000);
/// The period over which the rate control keeps the bitrate: players rely on the bitrate over two
/// seconds.
const RATE_CONTROL_PERIOD: Duration = Duration::from_secs(2);
/// The end of the name of a rendition with the Constrained Baseline profile.
const BASELINE_SUFFIX: &str = "-baseline";
/// Maximum height with the Constrained Baseline profile.
const MAX_BASELINE_HEIGHT: u32 = 720;
/// Default bitrate in bits per second and pixel, for 16:9.
const BITS_PER_PIXEL: f64 = 2.7;
/// Name of the rendition without video.
pub(crate) const AUDIO_RENDITION: &str = "audio";
/// Name of the rendition with AAC instead of the Opus of the stream. Ladders do not contain it.
pub(crate) const AAC_RENDITION: &str = "aac";

/// Returns true if this can be the name of a rendition.
pub(crate) fn is_rendition(name: &str) -> bool {
    let height = name.strip_suffix('p').unwrap_or_default();
    matches!(name, AUDIO_RENDITION | AAC_RENDITION)
        || (2..=4).contains(&height.len()) && height.bytes().all(|it| it.is_ascii_digit())
}

/// A rendition with video.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct VideoRendition {
    /// The shorter side in pixels: 720 is 1280x720, or 720x1280 for upright video.
    pub height: u32,
    pub bitrate: BitsPerSecond,
    pub profile: Profile,
}

impl VideoRendition {
    /// Returns the rendition for browsers that decode only Constrained Baseline, for a stream of
    /// this size.
    pub(crate) fn baseline(of: Size) -> Self {
        let height = of.width.min(of.height).min(MAX_BASELINE_HEIGHT) & !1;
        let (bitrate, profile) = (usual_bitrate(height), Profile::ConstrainedBaseline);
        Self { height, bitrate, profile }
    }

    /// Returns the name, such as `720p`.
    pub fn name(self) -> String {
        match self.profile {
            Profile::High => format!("{}p", self.height),
            Profile::ConstrainedBaseline => format!("{}p{BASELINE_SUFFIX}", self.height),
        }
    }

    /// Returns the size of the rendition for a stream of this size, or `None` if it would not be smaller than the
    /// stream. In Constrained Baseline, both may have the same size.
    pub fn size(self, of: Size) -> Option<Size> {
        let short = of.width.min(of.height);
        if self.height >= short && self.profile != Profile::ConstrainedBaseline {
            return None;
        }
        let height = self.height.min(short);
        let other = |long: u32| {
            let scaled = u64::from(long) * u64::from(height) / u64::from(short.max(1));
            u32::try_from(scaled).unwrap_or(u32::MAX) & !1
        };
        let height = height & !1;
        let size = match of.width >= of.height {
            true => Size::new(other(of.width), height),
            false => Size::new(height, other(of.height)),
        };
        Some(size).filter(|size| size.is_valid())
    }
}

impl VideoRendition {
    /// Returns the encoder settings for frames of this size.
    pub(crate) fn settings(self, size: Size, frame_rate: FrameRate) -> Option<Video> {
        Some(Video {
            size: self.size(size)?,
            frame_rate,
            bitrate: self.bitrate,
            keyframe_interval: RATE_CONTROL_PERIOD,
            encoder: Choice::Auto,
            preset: Preset::Auto,
            rate_control: RateControl::Cbr,
            b_frames: 0,
            look_ahead: 0,
        })
    }
}

/// The renditions of a stream in addition to the stream itself, largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ladder {
    pub video: Vec<VideoRendition>,
    /// True if the audio alone is offered too.
    pub audio_only: bool,
}

impl Ladder {
    /// Returns true if there are no renditions in addition to the stream itself.
    pub fn is_empty(&self) -> bool {
        self.video.is_empty() && !self.audio_only
    }

    /// Returns true if there is a rendition of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.video.iter().any(|it| it.name() == name) || self.audio_only && name == AUDIO_RENDITION
    }

    /// Returns the names of the renditions of a stream with video of this size, and with or without
    /// audio.
    pub fn names(&self, size: Option<Size>, has_audio: bool) -> Vec<String> {
        let Some(size) = size else { return Vec::new() };
        let video = self.video.iter().filter(|it| it.size(size).is_some()).map(|it| it.name());
        let audio = (self.audio_only && has_audio).then(|| AUDIO_RENDITION.to_owned());
        video.chain(audio).collect()
    }

    /// Reads renditions such as `720p:2500k`, `240p` and `audio`.
    ///
    /// # Errors
    /// Fails with the first rendition that cannot be offered.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, Problem> {
        let mut ladder = Self::default();
        for name in names.into_iter().map(str::trim) {
            let is_known = match name {
                AUDIO_RENDITION => std::mem::replace(&mut ladder.audio_only, true),
                _ => {
                    let rendition = video_rendition(name)?;
                    let is_known = ladder.video.iter().any(|it| it.height == rendition.height);
                    ladder.video.push(rendition);
                    is_known
                }
            };
            if is_known || ladder.video.len() > MAX_RENDITIONS {
                return Err(problem!("rendition-too-many", most = MAX_RENDITIONS));
            }
        }
        ladder.video.sort_by_key(|it| std::cmp::Reverse(it.height));
        Ok(ladder)
    }
}

fn video_rendition(text: &str) -> Result<VideoRendition, Problem> {
    let invalid = || problem!("rendition-invalid", text = text.to_owned());
    let (height, bitrate) = match text.split_once(':') {
        Some((height, bitrate)) => (height, Some(bitrate.parse::<BitsPerSecond>()?)),
        None => (text, None),
    };
    let height = height.strip_suffix('p').and_then(|height| height.parse::<u32>().ok());
    let height = height.filter(|it| {
        (HEIGHT_RANGE_PIXELS.0..=HEIGHT_RANGE_PIXELS.1).contains(it) && it.is_multiple_of(2)
    });
    let height = height.ok_or_else(invalid)?;
    let bitrate = bitrate.unwrap_or_else(|| usual_bitrate(height));
    if !(BITRATE_RANGE_BPS.0..=BITRATE_RANGE_BPS.1).contains(&bitrate.0) {
        return Err(invalid());
    }
    Ok(VideoRendition { height, bitrate, profile: Profile::High })
}

fn usual_bitrate(height: u32) -> BitsPerSecond {
    let pixels = f64::from(height) * f64::from(height) * 16.0 / 9.0;
    BitsPerSecond((pixels * BITS_PER_PIXEL) as u32)
}

impl FromStr for Ladder {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::of(text.split(','))
    }
}

/// The renditions of the streams whose names match a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LadderRule {
    /// `APP/STREAM`, where `*` is any text without a slash, and `**` any text.
    pub streams: String,
    pub ladder: Ladder,
}

impl LadderRule {
    /// Returns how specific the pattern is: the number of literal characters, then the number of stars.
    fn specificity(&self) -> (usize, Reverse<usize>) {
        let stars = self.streams.matches('*').count();
        (self.streams.chars().count() - stars, Reverse(stars))
    }
}

/// The renditions of all streams, and their limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladders {
    /// The renditions in applications without their own.
    pub others: Ladder,
    pub apps: HashMap<String, Ladder>,
    /// The renditions of particular streams, whatever their application has. Of the rules that match, the most
    /// specific one applies, and the first one of equals.
    pub streams: Vec<LadderRule>,
    /// Maximum number of renditions with video that are encoded at the same time; `None` means a number that
    /// suits the number of cores.
    pub limit: Option<usize>,
    /// The share of the computer's CPU time, from 0 to 1, above which no more renditions start.
    pub cpu: f64,
    /// Watermarks in applications without their own.
    pub watermarks: Vec<Watermark>,
    pub app_watermarks: HashMap<String, Vec<Watermark>>,
}

impl Ladders {
    /// Returns the number of cores that the largest of these ladders needs for one stream of this size
    /// while each of its renditions is watched, or `None` if no rendition has video.
    pub fn expected_cores(&self, size: Size, rate: FrameRate) -> Option<f64> {
        let of_streams = self.streams.iter().map(|rule| &rule.ladder);
        let all = std::iter::once(&self.others).chain(self.apps.values()).chain(of_streams);
        let cores = all.map(|ladder| {
            let sizes: Vec<Size> = ladder.video.iter().filter_map(|it| it.size(size)).collect();
            expected_cores(&sizes, size, rate)
        });
        let cores = cores.fold(0.0, f64::max);
        Some(cores).filter(|cores| *cores > 0.0)
    }

    /// Returns the renditions of a stream.
    pub fn of(&self, app: &str, stream: &str) -> &Ladder {
        let name = format!("{app}/{stream}");
        // Of equals, `max_by_key` returns the last one.
        let rules = self.streams.iter().rev().filter(|rule| matches(&rule.streams, &name));
        let rule = rules.max_by_key(|rule| rule.specificity()).map(|rule| &rule.ladder);
        rule.or_else(|| self.apps.get(app)).unwrap_or(&self.others)
    }

    /// Returns the watermarks on this rendition of an application's streams.
    pub(crate) fn watermarks(&self, app: &str, rendition: &str) -> Vec<WatermarkImage> {
        let of_app = self.app_watermarks.get(app).unwrap_or(&self.watermarks);
        // The Constrained Baseline form of a rendition has the same watermarks.
        let rendition = rendition.strip_suffix(BASELINE_SUFFIX).unwrap_or(rendition);
        of_app.iter().filter(|it| it.is_on(rendition)).map(|it| it.image.clone()).collect()
    }

    /// Returns true if any stream can have renditions.
    pub fn has_any(&self) -> bool {
        let of_streams = self.streams.iter().map(|rule| &rule.ladder);
        let mut all = std::iter::once(&self.others).chain(self.apps.values()).chain(of_streams);
        all.any(|it| !it.is_empty())
    }
}

impl Default for Ladders {
    fn default() -> Self {
        Self {
            others: Ladder::default(),
            apps: HashMap::new(),
            streams: Vec::new(),
            limit: None,
            cpu: 0.9,
            watermarks: Vec::new(),
            app_watermarks: HashMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::PixelAspect;
    use crate::server::event::VideoFigures;

    #[test]
    fn the_cores_of_a_ladder_are_known_before_a_stream_comes() {
        let of = |ladder: &str| {
            let ladders = Ladders { others: ladder.parse().unwrap(), ..Ladders::default() };
            ladders.expected_cores(Size::new(1_920, 1_080), FrameRate::FPS_30)
        };
        // 720p30 needs a quarter of a core, and the decoder a seventh.
        let one = of("720p").unwrap();
        assert!((one - 0.25 - 0.147).abs() < 0.01, "{one}");
        assert!(of("720p,480p").unwrap() > one);
        // The stream itself is not encoded again, and audio costs next to nothing.
        assert_eq!((of("1080p"), of("audio")), (None, None));
    }

    #[test]
    fn ladders_are_read_largest_first() {
        let ladder: Ladder = "240p:400k, 720p:2500k,audio,480p".parse().unwrap();
        let video = ladder.video.iter().map(|it| (it.name(), it.bitrate.as_kbps()));
        let expected = [("720p", 2_500), ("480p", 1_106), ("240p", 400)];
        assert!(video.eq(expected.map(|(name, rate)| (name.to_owned(), rate))));
        assert!(ladder.audio_only && !ladder.is_empty());
        for bad in [
            "",
            "720",
            "p",
            "720p:",
            "720p:fast",
            "721p",
            "90p",
            "9999p",
            "240p,240p",
            "audio,audio",
            "720p:1k",
        ] {
            assert!(bad.parse::<Ladder>().is_err(), "{bad}");
        }
        let names = |width, height| ladder.names(Some(Size::new(width, height)), true);
        assert_eq!(names(1_280, 720), ["480p", "240p", AUDIO_RENDITION]);
        assert_eq!(ladder.names(Some(Size::new(1_280, 480)), false), ["240p"]);
        assert!(ladder.names(None, true).is_empty());
        let many: Vec<String> = (0..9).map(|it| format!("{}p", 200 + it * 2)).collect();
        assert!(Ladder::of(many.iter().map(String::as_str)).is_err());
    }

    #[test]
    fn the_most_specific_rule_of_a_stream_counts() {
        let rule = |streams: &str, ladder: &str| LadderRule {
            streams: streams.to_owned(),
            ladder: if ladder.is_empty() { Ladder::default() } else { ladder.parse().unwrap() },
        };
        let mut ladders = Ladders { others: "160p".parse().unwrap(), ..Ladders::default() };
        ladders.apps.insert("cinema".to_owned(), "200p".parse().unwrap());
        ladders.streams = vec![
            rule("live/**", "300p"),
            rule("live/*", "400p"),
            rule("live/show*", "500p"),
            rule("live/show", "600p"),
            rule("live/show-raw", ""),
            rule("*/news", "700p"),
            rule("*/news", "800p"),
        ];
        for (app, stream, height) in [
            ("other", "show", Some(160)),
            ("cinema", "film", Some(200)),
            ("live", "a/b", Some(300)),
            ("live", "game", Some(400)),
            ("live", "show2", Some(500)),
            ("live", "show", Some(600)),
            ("live", "show-raw", None),
            ("cinema", "news", Some(700)),
        ] {
            let ladder = ladders.of(app, stream);
            assert_eq!(ladder.video.first().map(|it| it.height), height, "{app}/{stream}");
        }
        assert!(ladders.has_any() && !Ladders::default().has_any());
        let only_rules = Ladders { streams: ladders.streams, ..Ladders::default() };
        assert!(only_rules.has_any());
    }

    #[test]
    fn renditions_are_smaller_than_the_stream_and_keep_its_shape() {
        let of = |height| VideoRendition {
            height,
            bitrate: BitsPerSecond(500_000),
            profile: Profile::High,
        };
        for (height, from, to) in [
            (480, (1_280, 720), Some((852, 480))),
            (240, (1_920, 1_080), Some((426, 240))),
            (480, (720, 1_280), Some((480, 852))),
            (720, (1_280, 720), None),
            (720, (640, 360), None),
            (480, (0, 0), None),
        ] {
            let size = of(height).size(Size::new(from.0, from.1));
            assert_eq!(
                size,
                to.map(|(width, height)| Size::new(width, height)),
                "{height} {from:?}"
            );
        }
        let anamorphic = VideoFigures {
            codec: "H.264".to_owned(),
            profile: None,
            size: Some((720, 576)),
            pixel_aspect: PixelAspect::new(64, 45),
            fps: None,
        };
        let size = anamorphic.displayed_size().and_then(|size| of(288).size(size));
        assert_eq!(size, Some(Size::new(512, 288)));
        let baseline = |width, height| {
            let size = Size::new(width, height);
            VideoRendition::baseline(size).size(size)
        };
        assert_eq!(baseline(1_920, 1_080), Some(Size::new(1_280, 720)));
        assert_eq!(baseline(640, 360), Some(Size::new(640, 360)));
        assert_eq!(baseline(361, 641), Some(Size::new(360, 638)));
        assert_eq!(baseline(0, 0), None);
    }
}
