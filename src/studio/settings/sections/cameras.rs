//! What cameras are set to (`[cameras]`): for each id a table of its controls by their names.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::capture::camera::control::{MAX_CAMERAS, MAX_CONTROLS, WantedControls, plain};

/// A camera's id is no longer than this.
const MAX_ID: usize = 200;

/// How it is written.
pub(in crate::studio::settings) fn table(cameras: &BTreeMap<String, WantedControls>) -> Table {
    let values = |wanted: &WantedControls| {
        Value::Table(wanted.iter().map(|(name, value)| (name.clone(), (*value).into())).collect())
    };
    let set = cameras.iter().filter(|(_, wanted)| !wanted.is_empty());
    set.map(|(id, wanted)| (id.clone(), values(wanted))).collect()
}

/// Reads it; what is not as it should be is told and left out.
pub(in crate::studio::settings) fn read(
    value: Option<&Value>,
    bad: &mut dyn FnMut(String),
) -> BTreeMap<String, WantedControls> {
    let mut cameras = BTreeMap::new();
    let Some(value) = value else { return cameras };
    let Some(table) = value.as_table() else {
        bad("'cameras' is not a table".into());
        return cameras;
    };
    for (id, controls) in table.iter().take(MAX_CAMERAS) {
        let good = id.len() <= MAX_ID && !id.chars().any(char::is_control);
        let Some(controls) = controls.as_table().filter(|_| good) else {
            bad("a camera in 'cameras' is not a table of its controls".into());
            continue;
        };
        let mut wanted = WantedControls::new();
        for (name, value) in controls.iter().take(MAX_CONTROLS) {
            match value.as_integer() {
                Some(value) if plain(name) == *name => {
                    wanted.insert(name.clone(), value);
                }
                _ => bad(format!("'{}' of a camera is not a whole number", plain(name))),
            }
        }
        if !wanted.is_empty() {
            cameras.insert(id.clone(), wanted);
        }
    }
    if table.len() > MAX_CAMERAS {
        bad(format!("of more than {MAX_CAMERAS} cameras the rest is left out"));
    }
    cameras
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
        assert_eq!((read.cameras, warnings), (cameras, Vec::<String>::new()));
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
