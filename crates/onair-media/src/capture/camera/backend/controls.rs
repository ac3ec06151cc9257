//! The controls of a Video4Linux camera (VIDIOC_QUERYCTRL, VIDIOC_QUERYMENU, VIDIOC_G_CTRL,
//! VIDIOC_S_CTRL). onair supports the 32-bit controls that a user can set. All data from the driver
//! is limited in size.

#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

use v4l::v4l_sys::{v4l2_control, v4l2_queryctrl, v4l2_querymenu};

use crate::capture::camera::backend::ioctl::{Call, IoctlData as _};
use crate::capture::camera::control::{CameraControl, MAX_CONTROLS, Span, plain};

/// Kinds of controls (`enum v4l2_ctrl_type`).
const CTRL_TYPE_INTEGER: u32 = 1;
const CTRL_TYPE_BOOLEAN: u32 = 2;
const CTRL_TYPE_MENU: u32 = 3;
const CTRL_TYPE_INTEGER_MENU: u32 = 9;

/// Flags (`V4L2_CTRL_FLAG_…`).
const CTRL_FLAG_DISABLED: u32 = 0x01;
const CTRL_FLAG_READ_ONLY: u32 = 0x04;
const CTRL_FLAG_INACTIVE: u32 = 0x10;
const CTRL_FLAG_WRITE_ONLY: u32 = 0x40;
/// Requests the next control.
const CTRL_FLAG_NEXT_CTRL: u32 = 0x8000_0000;

/// Maximum number of items of a menu.
const MAX_MENU_ITEMS: i32 = 64;

const QUERY_CONTROL: Call<v4l2_queryctrl> = Call::new(36);
const QUERY_MENU: Call<v4l2_querymenu> = Call::new(37);
const GET_CONTROL: Call<v4l2_control> = Call::new(27);
const SET_CONTROL: Call<v4l2_control> = Call::new(28);

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// Returns the controls that a user can set, with their current values.
pub(super) fn list(path: &Path) -> io::Result<Vec<CameraControl>> {
    let file = open(path)?;
    Ok(queried(&file).into_iter().filter_map(|query| control(&file, &query)).collect())
}

/// Sets the control that has this name in [`list`] to the nearest valid value.
pub(super) fn set(path: &Path, name: &str, value: Option<i64>) -> io::Result<()> {
    let file = open(path)?;
    let mut all = queried(&file).into_iter();
    let found = all.find_map(|query| {
        let control = control(&file, &query)?;
        (control.name == name).then_some((query.id, control))
    });
    let (id, control) = found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let wanted = control.span.bounded(value.unwrap_or(control.default));
    let value = i32::try_from(wanted).unwrap_or_default();
    if wanted == control.value {
        return Ok(());
    }
    SET_CONTROL.ask(file.as_raw_fd(), &mut v4l2_control { id, value })
}

fn queried(file: &File) -> Vec<v4l2_queryctrl> {
    let (mut found, mut last) = (Vec::new(), 0);
    while found.len() < MAX_CONTROLS {
        let mut query =
            v4l2_queryctrl { id: last | CTRL_FLAG_NEXT_CTRL, ..v4l2_queryctrl::blank() };
        // The end of the list is an error. A driver that starts to repeat its controls has no
        // further ones, either.
        if QUERY_CONTROL.ask(file.as_raw_fd(), &mut query).is_err() || query.id <= last {
            break;
        }
        last = query.id;
        found.push(query);
    }
    found
}

fn control(file: &File, query: &v4l2_queryctrl) -> Option<CameraControl> {
    if query.flags & (CTRL_FLAG_DISABLED | CTRL_FLAG_READ_ONLY | CTRL_FLAG_WRITE_ONLY) != 0 {
        return None;
    }
    let title = text(&query.name);
    let name = plain(&title);
    let span = match query.type_ {
        CTRL_TYPE_INTEGER if query.minimum < query.maximum => Span::Number {
            least: query.minimum.into(),
            most: query.maximum.into(),
            step: i64::from(query.step).max(1),
        },
        CTRL_TYPE_BOOLEAN => Span::Switch,
        CTRL_TYPE_MENU | CTRL_TYPE_INTEGER_MENU => Span::Menu(items(file, query)),
        _ => return None,
    };
    if name.is_empty() || matches!(&span, Span::Menu(items) if items.len() < 2) {
        return None;
    }
    let mut now = v4l2_control { id: query.id, value: query.default_value };
    GET_CONTROL.ask(file.as_raw_fd(), &mut now).ok()?;
    let active = query.flags & CTRL_FLAG_INACTIVE == 0;
    let (default, value) = (query.default_value.into(), now.value.into());
    Some(CameraControl { name, title, span, default, value, active })
}

fn items(file: &File, query: &v4l2_queryctrl) -> Vec<(i64, String)> {
    let (first, last) = (query.minimum.max(0), query.maximum);
    let indices = (first..=last).take(usize::try_from(MAX_MENU_ITEMS).unwrap_or(0));
    let item = |index: i32| {
        let place = u32::try_from(index).ok()?;
        let mut item = v4l2_querymenu { id: query.id, index: place, ..v4l2_querymenu::blank() };
        // Menus have gaps.
        QUERY_MENU.ask(file.as_raw_fd(), &mut item).ok()?;
        // SAFETY: the union contains a name, or a value in its first eight bytes, which are bytes
        // in either case.
        let name = unsafe { item.__bindgen_anon_1.name };
        let words = if query.type_ == CTRL_TYPE_INTEGER_MENU {
            let (bytes, _) = name.split_at(8);
            i64::from_ne_bytes(bytes.try_into().ok()?).to_string()
        } else {
            text(&name)
        };
        Some((i64::from(index), words))
    };
    indices.filter_map(item).collect()
}

/// Reads a zero-terminated name, without harmful characters.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default());
    text.chars().filter(|letter| !letter.is_control()).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_and_numbers_are_the_kernels() {
        // Sizes from include/uapi/linux/videodev2.h.
        assert_eq!(
            (size_of::<v4l2_queryctrl>(), size_of::<v4l2_querymenu>(), size_of::<v4l2_control>()),
            (68, 44, 8)
        );
        assert_eq!(QUERY_CONTROL.0, 0xc044_5624);
        assert_eq!(QUERY_MENU.0, 0xc02c_5625);
        assert_eq!((GET_CONTROL.0, SET_CONTROL.0), (0xc008_561b, 0xc008_561c));
    }

    #[test]
    fn what_is_no_camera_has_no_controls() {
        assert!(list(Path::new("/dev/null")).unwrap().is_empty());
        assert!(list(Path::new("/nonexistent")).is_err());
        assert!(set(Path::new("/dev/null"), "gain", None).is_err());
        assert_eq!(text(b"Gain\x07 \0rest"), "Gain");
    }
}
