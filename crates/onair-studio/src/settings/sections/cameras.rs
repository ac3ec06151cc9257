//! The controls of cameras in the settings file: `[cameras]`, with one table of values for each
//! camera id.

use std::collections::BTreeMap;

use crate::capture::camera::control::{MAX_CAMERAS, MAX_CONTROLS, WantedControls, plain};
use crate::studio::settings::reading::lenient::Document;
use crate::text::problem::problem;

/// Maximum length of a camera's id.
const MAX_CAMERA_ID_LENGTH: usize = 200;

/// The layout of the section, which is also its value.
pub type Cameras = BTreeMap<String, WantedControls>;

/// Returns the cameras that have settings.
pub fn set(cameras: &Cameras) -> Cameras {
    let set = cameras.iter().filter(|(_, wanted)| !wanted.is_empty());
    set.map(|(id, wanted)| (id.clone(), wanted.clone())).collect()
}

/// Returns the settings within their limits. Settings outside their limits are reported and
/// dropped.
pub fn checked(cameras: Cameras, from: &mut Document<'_>) -> Cameras {
    if cameras.len() > MAX_CAMERAS {
        from.note("cameras", &problem!("settings-the-rest", most = MAX_CAMERAS));
    }
    let mut checked = Cameras::new();
    for (id, mut wanted) in cameras.into_iter().take(MAX_CAMERAS) {
        if id.len() > MAX_CAMERA_ID_LENGTH || id.chars().any(char::is_control) {
            from.note("cameras", &problem!("settings-no-camera"));
            continue;
        }
        wanted.retain(|name, _| {
            let known = plain(name) == *name;
            if !known {
                from.note("cameras", &problem!("settings-no-camera-control", name = name));
            }
            known
        });
        let wanted: WantedControls = wanted.into_iter().take(MAX_CONTROLS).collect();
        if !wanted.is_empty() {
            checked.insert(id, wanted);
        }
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::settings::Settings;

    #[test]
    fn what_cameras_are_set_to_is_read_as_it_was_written() {
        let wanted: WantedControls =
            [("gain".to_owned(), -3), ("exposure_auto".to_owned(), 1)].into();
        let cameras: BTreeMap<_, _> = [("usb-C920 \"x\".1".to_owned(), wanted)].into();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("onair.toml");
        Settings { cameras: cameras.clone(), ..Settings::default() }.write(&path).unwrap();
        let (read, warnings) = Settings::read(&path);
        assert_eq!((read.cameras, warnings), (cameras, Vec::<crate::text::Problem>::new()));
        Settings::default().write(&path).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("cameras"));
    }

    #[test]
    fn bad_values_are_left_out_one_by_one() {
        let text = "[cameras]\nodd = 3\n[cameras.c920]\ngain = 'high'\n'No Name' = 1\nfocus = 40\n";
        let (read, warnings) = Settings::parse(text);
        assert_eq!(read.cameras["c920"], WantedControls::from([("focus".to_owned(), 40)]));
        assert_eq!((read.cameras.len(), warnings.len()), (1, 3), "{warnings:#?}");
        assert_eq!(Settings::parse("cameras = 1").1.len(), 1);
    }
}
