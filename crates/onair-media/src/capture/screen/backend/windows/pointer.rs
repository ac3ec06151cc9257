//! The mouse pointer.
#![allow(unsafe_code)]

use std::mem::size_of;
use std::ptr;
use std::sync::Arc;

use windows_sys::Win32::Foundation::POINT;
use windows_sys::Win32::Graphics::Gdi::{BITMAP, DeleteObject, GetObjectW};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CURSOR_SHOWING, CURSORINFO, GetCursorInfo, GetIconInfo, HCURSOR, ICONINFO,
};

use crate::capture::screen::backend::windows::gdi::Bitmap;
use crate::capture::screen::display::{PlacedPointer, Pointer};
use crate::media::Size;

/// Maximum side length of a pointer that is drawn, in pixels.
const MAX_SIDE: u32 = 512;

/// Remembers the image of the last pointer.
pub(super) struct PointerWatch {
    cursor: HCURSOR,
    image: Option<Arc<Pointer>>,
}

impl PointerWatch {
    pub(super) fn new() -> Self {
        Self { cursor: ptr::null_mut(), image: None }
    }

    /// Returns the pointer relative to this position in the coordinates of Windows. Returns `None` if it is hidden.
    pub(super) fn placed(&mut self, (left, top): (i32, i32)) -> Option<PlacedPointer> {
        let mut about =
            CURSORINFO { cbSize: size_of::<CURSORINFO>() as u32, ..CURSORINFO::default() };
        // SAFETY: the size tells the call how large the structure is.
        if unsafe { GetCursorInfo(&raw mut about) } == 0 || about.flags & CURSOR_SHOWING == 0 {
            return None;
        }
        if about.hCursor != self.cursor {
            self.cursor = about.hCursor;
            self.image = image_of(about.hCursor).map(Arc::new);
        }
        let image = self.image.clone()?;
        let POINT { x, y } = about.ptScreenPos;
        let corner =
            |at: i32, hot: u32, start: i32| i64::from(at) - i64::from(hot) - i64::from(start);
        let (x, y) = (corner(x, image.hot.0, left), corner(y, image.hot.1, top));
        Some(PlacedPointer { x, y, image })
    }
}

fn image_of(cursor: HCURSOR) -> Option<Pointer> {
    let mut about = ICONINFO::default();
    // SAFETY: the call writes the structure. Its two bitmaps are ours, and are released.
    let size = unsafe {
        if GetIconInfo(cursor, &raw mut about) == 0 {
            return None;
        }
        let mut bitmap = BITMAP::default();
        // Without colors, the two masks are one above the other.
        let (which, halves) =
            if about.hbmColor.is_null() { (about.hbmMask, 2) } else { (about.hbmColor, 1) };
        GetObjectW(which, size_of::<BITMAP>() as i32, (&raw mut bitmap).cast());
        DeleteObject(about.hbmMask);
        DeleteObject(about.hbmColor);
        Size::new(
            u32::try_from(bitmap.bmWidth).ok()?,
            u32::try_from(bitmap.bmHeight).ok()? / halves,
        )
    };
    if size.width > MAX_SIDE || size.height > MAX_SIDE {
        return None;
    }
    // What the pointer looks like on black and on white says how transparent it is, for all kinds of pointers.
    let drawn = |background: u8| {
        let mut bitmap = Bitmap::new(size).ok()?;
        bitmap.fill(background);
        bitmap.draw_icon(cursor).then(|| bitmap.pixels().to_vec())
    };
    let (on_black, on_white) = (drawn(0)?, drawn(255)?);
    let pixels = on_black
        .chunks_exact(4)
        .zip(on_white.chunks_exact(4))
        .map(|(black, white)| premultiplied(black, white))
        .collect();
    Some(Pointer {
        width: size.width,
        height: size.height,
        hot: (about.xHotspot, about.yHotspot),
        pixels,
    })
}

/// Returns alpha, red, green and blue of a pixel that looks like this on black and on white.
fn premultiplied(black: &[u8], white: &[u8]) -> u32 {
    let (&[blue, green, red, _], &[_, white, _, _]) = (black, white) else { return 0 };
    // A pixel that inverts what is beneath it is brighter on black. It becomes opaque.
    let alpha = 255 - white.saturating_sub(green);
    u32::from_be_bytes([alpha, red, green, blue])
}

#[cfg(test)]
mod tests {
    use super::premultiplied;

    #[test]
    fn a_pixel_is_as_transparent_as_it_differs_on_black_and_white() {
        assert_eq!(premultiplied(&[0, 0, 0, 0], &[255, 255, 255, 0]), 0, "nothing is drawn");
        assert_eq!(premultiplied(&[30, 20, 10, 0], &[30, 20, 10, 0]), 0xFF0A_141E, "opaque");
        assert_eq!(premultiplied(&[128, 128, 128, 0], &[255, 255, 255, 0]), 0x8080_8080, "half");
        assert_eq!(premultiplied(&[255; 4], &[0; 4]), 0xFFFF_FFFF, "inverts");
    }
}
