//! Master playlists (RFC 8216 §4.3.4).

use super::attributes::Attributes;
use super::bounds::{Error, MAX_VARIANTS};

/// Several forms of the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Master {
    pub variants: Vec<Variant>,
    pub renditions: Vec<Rendition>,
}

/// One form.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    pub uri: String,
    /// Peak bits a second.
    pub bandwidth: u64,
    pub resolution: Option<(u32, u32)>,
    pub codecs: Option<String>,
    /// The group of its sound, where that has playlists of its own.
    pub audio: Option<String>,
}

impl Variant {
    /// Whether its picture is of a kind that is decoded here, as far as it tells.
    pub fn is_playable(&self) -> bool {
        self.codecs.as_ref().is_none_or(|codecs| {
            codecs.split(',').map(str::trim).all(|codec| {
                !["hvc1", "hev1", "dvh1", "dvhe", "av01", "vp09", "vp9", "vvc1"]
                    .iter()
                    .any(|other| codec.starts_with(other))
            })
        })
    }

    /// Whether it says that it has sound only.
    pub fn is_sound_only(&self) -> bool {
        self.resolution.is_none()
            && self.codecs.as_ref().is_some_and(|codecs| {
                codecs.split(',').map(str::trim).all(|codec| {
                    ["mp4a", "ac-3", "ec-3", "opus", "fLaC"].iter().any(|it| codec.starts_with(it))
                })
            })
    }
}

/// A playlist of sound that goes with a group of variants.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendition {
    pub group: String,
    pub name: String,
    /// None: it is inside the variant.
    pub uri: Option<String>,
    pub default: bool,
}

impl Master {
    /// The sound of a variant that has a playlist of its own: the default one, or the first.
    pub fn sound_of(&self, variant: &Variant) -> Option<&Rendition> {
        let group = variant.audio.as_ref()?;
        let of_group = || self.renditions.iter().filter(|one| one.group == *group);
        let one = of_group().find(|one| one.default).or_else(|| of_group().next())?;
        one.uri.is_some().then_some(one)
    }
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
                audio: list.get("AUDIO").map(str::to_owned),
            });
        }
    }
    if master.variants.is_empty() { Err(Error::Empty) } else { Ok(master) }
}
