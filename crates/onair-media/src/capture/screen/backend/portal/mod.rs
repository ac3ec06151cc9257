//! Displays and windows of a Wayland session. The portal asks the user what to share, and opens a
//! PipeWire stream of frames with their changed parts. A captured part of a display is a part of
//! that stream. Only changed parts are copied.

mod bus;
mod frame;
pub(in crate::capture) mod pod;
mod stream;

use std::os::unix::fs::FileTypeExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::base::{Secret, Stop};
use crate::capture::screen::area::Area;
use crate::capture::screen::backend::portal::bus::{PortalRequest, Session};
use crate::capture::screen::backend::portal::stream::{End, Stream};
use crate::capture::screen::display::{Attempt, Change, Fault, Grabber, PlacedPointer, Sharing};
use crate::capture::screen::permission::Permissions;
use crate::capture::screen::target::shared_name;
use crate::media::Size;

/// Time limit for the first frame.
const FIRST_FRAME_TIMEOUT: Duration = Duration::from_secs(10);
/// Interval between checks for the first frame.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// How often to check whether the desktop still shares.
const SHARING_CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// A request to the desktop.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum ShareRequest {
    /// A screen, or a part of it.
    Screen(Option<Area>),
    Window,
}

/// Returns the options of the desktop's sharing dialog.
pub(in crate::capture) fn offers() -> Result<Sharing, Fault> {
    reach_pipewire()?;
    bus::offers()
}

/// Requests sharing from the desktop if necessary, and waits for the first frame. `key` is the name
/// of the stored permission.
pub(in crate::capture) fn grab(
    what: ShareRequest,
    id: &str,
    key: &str,
    attempt: &Attempt<'_>,
) -> Result<Box<dyn Grabber>, Fault> {
    // Check this before the dialog: a useless dialog must not be shown.
    reach_pipewire()?;
    let lease = Lease::take(attempt.permissions, key);
    let window = what == ShareRequest::Window;
    let request = PortalRequest { window, pointer: attempt.pointer, token: lease.token.as_ref() };
    let (session, shared) = Session::ask(&request, attempt.stop, attempt.asking)?;
    let lease = lease.renew(shared.token);
    let stream = Stream::open(shared.fd, shared.node, attempt.rate)
        .map_err(|reason| Fault::Unusable(format!("PipeWire: {reason}")))?;
    let name = shared_name(id).filter(|name| !name.is_empty());
    let mut grab = Grab {
        stream,
        session,
        _lease: lease,
        part: match what {
            ShareRequest::Screen(part) => part,
            ShareRequest::Window => None,
        },
        area: None,
        pixels: Vec::new(),
        gathered: Vec::new(),
        name: name.unwrap_or(if window { "Window" } else { "Screen" }).to_owned(),
        id: id.to_owned(),
        last_sharing_check: Instant::now(),
    };
    grab.first(attempt.stop)?;
    Ok(Box::new(grab))
}

/// Checks whether PipeWire is available. In a sandbox without PipeWire's socket, only the portal
/// gives access.
fn reach_pipewire() -> Result<(), Fault> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if PathBuf::from("/.flatpak-info").exists() {
        return Ok(());
    }
    let name = set("PIPEWIRE_REMOTE").unwrap_or_else(|| "pipewire-0".into());
    let folder = set("PIPEWIRE_RUNTIME_DIR").or_else(|| set("XDG_RUNTIME_DIR"));
    let folder =
        folder.ok_or_else(|| Fault::NoPipeWire("XDG_RUNTIME_DIR is not set".to_owned()))?;
    let path = PathBuf::from(folder).join(name);
    match std::fs::metadata(&path) {
        Ok(about) if about.file_type().is_socket() => Ok(()),
        Ok(_) => Err(Fault::NoPipeWire(format!("{}: no socket", path.display()))),
        Err(error) => Err(Fault::NoPipeWire(format!("{}: {error}", path.display()))),
    }
}

/// A token that this source uses, which is returned when this value is dropped.
struct Lease {
    permissions: Permissions,
    key: String,
    token: Option<Secret>,
}

impl Lease {
    fn take(permissions: &Permissions, key: &str) -> Self {
        let token = permissions.take(key);
        Self { permissions: permissions.clone(), key: key.to_owned(), token }
    }

    /// Replaces the token with the desktop's new one, which is `None` if the permission is not
    /// permanent.
    fn renew(mut self, token: Option<Secret>) -> Self {
        if let Some(token) = token {
            self.permissions.keep(&self.key, self.token.as_ref(), &token);
            self.token = Some(token);
        }
        self
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            self.permissions.give_back(&self.key, token);
        }
    }
}

/// A capture of the shared content.
struct Grab {
    /// The stream, which is dropped before the session, so that the end of the stream does not look
    /// as if the desktop had ended the sharing.
    stream: Stream,
    session: Session,
    _lease: Lease,
    part: Option<Area>,
    /// The captured part of the stream's frames, with an even width and height.
    area: Option<Area>,
    /// The captured pixels: blue, green, red and an unused byte, in rows without padding.
    pixels: Vec<u8>,
    /// Buffer for a part of the pixels.
    gathered: Vec<u8>,
    name: String,
    id: String,
    /// Time of the last check whether the desktop still shares.
    last_sharing_check: Instant,
}

/// Returns the captured part of a frame.
fn shown(of: Area, part: Option<Area>) -> Result<Area, Fault> {
    let area = match part {
        None => of,
        Some(part) => part
            .moved(of.x, of.y)
            .within(of)
            .ok_or_else(|| Fault::Unusable("the region is outside the frame".to_owned()))?,
    };
    area.even().map_err(Fault::UnusableSize)
}

impl Grab {
    /// Waits for the first frame.
    fn first(&mut self, stop: &Stop) -> Result<(), Fault> {
        let began = Instant::now();
        while self.area.is_none() {
            if !self.stream.has_news().map_err(|end| self.fault(end))? {
                if stop.wait(POLL_INTERVAL) {
                    return Err(Fault::Ended("it is not wanted any more".to_owned()));
                }
                if let Some(reason) = self.session.ended() {
                    return Err(Fault::Ended(reason));
                }
                if began.elapsed() >= FIRST_FRAME_TIMEOUT {
                    return Err(Fault::Unusable("no frame has arrived".to_owned()));
                }
                continue;
            }
            self.poll()?;
        }
        Ok(())
    }

    fn fault(&mut self, end: End) -> Fault {
        match end {
            End::Unfit(reason) => Fault::Unusable(reason),
            End::Gone(reason) => Fault::Ended(self.session.last_words().unwrap_or(reason)),
        }
    }

    /// Copies the changed part. Returns the changed part, and whether the size changed.
    fn poll(&mut self) -> Result<(Option<Area>, bool), Fault> {
        let Self { stream, area, pixels, part, .. } = self;
        let mut seen = Ok((None, false));
        let looked = stream.poll(|news| {
            let now = match shown(news.shown(), *part) {
                Ok(now) => now,
                Err(fault) => {
                    seen = Err(fault);
                    return;
                }
            };
            let moved = *area != Some(now);
            let resized =
                area.is_none_or(|area| (area.width, area.height) != (now.width, now.height));
            if resized {
                pixels.clear();
                pixels.resize(now.pixels() * 4, 0);
            }
            *area = Some(now);
            let dirty = if moved { Some(now) } else { news.dirty.within(now) };
            let Some(dirty) = dirty else { return };
            let (corner, row) = ((now.x, now.y), now.width as usize * 4);
            news.copy(dirty, corner, pixels, row);
            seen = Ok((Some(dirty.relative_to(now)), resized));
        });
        match looked {
            Ok(()) => seen,
            Err(end) => Err(self.fault(end)),
        }
    }
}

impl Grabber for Grab {
    fn size(&self) -> Size {
        self.area.map_or(Size::new(2, 2), |area| Size::new(area.width, area.height))
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn number(&self) -> Option<&str> {
        // The desktop's permission identifies the window.
        None
    }

    fn changes(&mut self) -> Result<Change, Fault> {
        if self.last_sharing_check.elapsed() >= SHARING_CHECK_INTERVAL {
            self.last_sharing_check = Instant::now();
            if let Some(reason) = self.session.ended() {
                return Err(Fault::Ended(reason));
            }
        }
        let (dirty, resized) = self.poll()?;
        Ok(Change { dirty, reshaped: false, resized })
    }

    fn show_part(&mut self, part: Option<Area>) -> bool {
        self.part = part;
        // A display that does not change sends no other frame.
        self.stream.refresh();
        true
    }

    fn read(&mut self, part: Area) -> Result<&[u8], Fault> {
        let Size { width, height } = self.size();
        if part == Area::new(0, 0, width, height) {
            return Ok(&self.pixels);
        }
        self.gathered.clear();
        let (row, left) = (width as usize * 4, part.x as usize * 4);
        let lines = self.pixels.chunks_exact(row).skip(part.y as usize);
        for line in lines.take(part.height as usize) {
            let bytes = line.get(left..left + part.width as usize * 4);
            let bytes = bytes.ok_or_else(|| Fault::Other("a part outside the frame".to_owned()))?;
            self.gathered.extend_from_slice(bytes);
        }
        Ok(&self.gathered)
    }

    fn pointer(&mut self) -> Result<Option<PlacedPointer>, Fault> {
        // The desktop draws the pointer into the frame if requested.
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::screen::display::RetryRequest;
    use crate::text::{Language, Problem};

    #[test]
    fn a_region_is_a_part_of_what_is_shared() {
        let whole = Area::new(0, 0, 641, 481);
        assert_eq!(shown(whole, None), Ok(Area::new(0, 0, 640, 480)));
        let crop = Area::new(100, 50, 300, 200);
        let part = Some(Area::new(290, 10, 64, 64));
        assert_eq!(shown(crop, part), Ok(Area::new(390, 60, 10, 64)));
        assert!(shown(crop, Some(Area::new(300, 10, 64, 64))).is_err());
        let small = shown(Area::new(0, 0, 1, 9), None).unwrap_err();
        let chinese = Language::Chinese.say(&Problem::from(&small));
        assert!(chinese.contains("尺寸太小"), "{chinese}");
        assert_eq!(small.again(), RetryRequest::WhenAsked, "an attempt shows a dialog");
    }

    #[test]
    fn a_token_is_given_back_and_replaced() {
        let permissions = Permissions::default();
        let lease = Lease::take(&permissions, "screen:wayland").renew(Some(Secret::new("token-1")));
        assert!(permissions.take("screen:wayland").is_none());
        drop(lease);
        let lease = Lease::take(&permissions, "screen:wayland");
        assert_eq!(lease.token, Some(Secret::new("token-1")));
        let lease = lease.renew(Some(Secret::new("token-2")));
        drop(lease);
        let lease = Lease::take(&permissions, "screen:wayland").renew(None);
        assert_eq!(lease.token, Some(Secret::new("token-2")), "it is used where none came");
    }
}
