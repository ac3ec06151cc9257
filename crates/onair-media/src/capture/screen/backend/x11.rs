//! Displays and windows of X11. MIT-SHM transfers the pixels, DAMAGE reports changes, RANDR lists
//! the monitors, XFIXES provides the pointer, and Composite keeps a covered window's pixels.
//! Without MIT-SHM (a display on another computer), the connection transfers the pixels.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::{ConnectionError, ReplyError, ReplyOrIdError};
use x11rb::protocol::Event;
use x11rb::protocol::composite::{self, ConnectionExt as _, Redirect};
use x11rb::protocol::damage::{self, ConnectionExt as _, ReportLevel};
use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::shm::{self, ConnectionExt as _};
use x11rb::protocol::xfixes::{self, ConnectionExt as _, CursorNotifyMask};
use x11rb::protocol::xproto::{
    self, AtomEnum, ChangeWindowAttributesAux, ConnectionExt as _, Drawable, EventMask,
    ImageFormat, ImageOrder, MapState, Window,
};
use x11rb::rust_connection::RustConnection;

use crate::base::sanitize::is_harmless;
use crate::capture::screen::area::Area;
use crate::capture::screen::backend::shared_memory::Segment;
use crate::capture::screen::display::{
    Attempt, Change, Fault, Grabber, PlacedPointer, Pointer, ScreenInfo, ScreenSystem, WindowInfo,
};
use crate::media::Size;
use crate::text::problem::problem;

/// Maximum number of windows, because the list of a server may never end.
const MAX_WINDOWS: usize = 512;
/// Maximum size of a property, in bytes, because names have no maximum length.
const MAX_PROPERTY_BYTES: u32 = 512;
/// Maximum side length of a pointer that is drawn, in pixels.
const MAX_POINTER_SIDE: u16 = 512;

/// Id of the main display, also in a Wayland session.
const MAIN_DISPLAY_ID: &str = "x11";

/// Id of all displays together.
const ALL_DISPLAYS_ID: &str = "all";

/// The display that the variable DISPLAY names.
pub(in crate::capture) struct X11;

struct Display {
    connection: RustConnection,
    root: Window,
    root_size: (u16, u16),
}

fn other(detail: impl std::fmt::Display) -> Fault {
    Fault::Other(detail.to_string())
}

impl From<ConnectionError> for Fault {
    fn from(error: ConnectionError) -> Self {
        Self::Display(error.to_string())
    }
}

impl From<ReplyError> for Fault {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::ConnectionError(error) => error.into(),
            ReplyError::X11Error(error) => other(format!("{:?}", error.error_kind)),
        }
    }
}

impl From<ReplyOrIdError> for Fault {
    fn from(error: ReplyOrIdError) -> Self {
        match error {
            ReplyOrIdError::ConnectionError(error) => error.into(),
            ReplyOrIdError::X11Error(error) => other(format!("{:?}", error.error_kind)),
            ReplyOrIdError::IdsExhausted => other("no identifiers left"),
        }
    }
}

impl Display {
    fn connect() -> Result<Self, Fault> {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if !set("DISPLAY") {
            return Err(Fault::NoDisplay);
        }
        let (connection, number) =
            RustConnection::connect(None).map_err(|error| Fault::Display(error.to_string()))?;
        let setup = connection.setup();
        let screen = setup.roots.get(number).ok_or_else(|| other("no such screen"))?;
        let (root, root_size) = (screen.root, (screen.width_in_pixels, screen.height_in_pixels));
        let depth = screen.root_depth;
        if !matches!(depth, 24 | 32) {
            return Err(Fault::Depth(depth));
        }
        let format = setup.pixmap_formats.iter().find(|format| format.depth == depth);
        let plain = format.is_some_and(|format| format.bits_per_pixel == 32)
            && setup.image_byte_order == ImageOrder::LSB_FIRST;
        if !plain {
            return Err(Fault::Format(problem!("display-pixels")));
        }
        Ok(Self { connection, root, root_size })
    }

    fn has(&self, extension: &'static str) -> Result<bool, Fault> {
        Ok(self.connection.extension_information(extension)?.is_some())
    }

    fn atom(&self, name: &str) -> Result<xproto::Atom, Fault> {
        Ok(self.connection.intern_atom(false, name.as_bytes())?.reply()?.atom)
    }

    fn monitors(&self) -> Result<Vec<ScreenInfo>, Fault> {
        let (width, height) = self.root_size;
        let whole = Area::new(0, 0, width.into(), height.into());
        let all = |name: &str| ScreenInfo {
            id: ALL_DISPLAYS_ID.to_owned(),
            name: name.to_owned(),
            area: whole,
            primary: false,
        };
        let mut found = Vec::new();
        if self.has(randr::X11_EXTENSION_NAME)? {
            let version = self.connection.randr_query_version(1, 5)?.reply()?;
            if (version.major_version, version.minor_version) >= (1, 5) {
                let reply = self.connection.randr_get_monitors(self.root, true)?.reply()?;
                for monitor in reply.monitors.into_iter().take(64) {
                    let name = self.connection.get_atom_name(monitor.name)?.reply()?.name;
                    let name = printable(&name);
                    let (x, y) = (monitor.x.max(0), monitor.y.max(0));
                    found.push(ScreenInfo {
                        id: name.clone(),
                        name,
                        area: Area::new(
                            x.unsigned_abs().into(),
                            y.unsigned_abs().into(),
                            monitor.width.into(),
                            monitor.height.into(),
                        ),
                        primary: monitor.primary,
                    });
                }
            }
        }
        // XWayland shows its clients on Wayland surfaces, and its root window is invisible.
        let by_name = found.iter().any(|screen| screen.id.starts_with("XWAYLAND"));
        if by_name || self.has("XWAYLAND")? {
            return Err(Fault::XWayland);
        }
        // The main display comes first. The other displays follow from left to right.
        found.sort_by_key(|screen| (!screen.primary, screen.area.x, screen.area.y));
        if found.is_empty() {
            found.push(all("Screen"));
        } else if found.len() > 1 {
            found.push(all("All screens"));
        }
        Ok(found)
    }

    fn property(&self, window: Window, name: xproto::Atom) -> Result<Vec<u8>, Fault> {
        let any = AtomEnum::ANY;
        let reply =
            self.connection.get_property(false, window, name, any, 0, MAX_PROPERTY_BYTES / 4)?;
        Ok(reply.reply()?.value)
    }

    /// Returns the visible windows of programs, in the order in which they were opened.
    fn windows(&self) -> Result<Vec<(Window, WindowInfo)>, Fault> {
        let listed = self.atom("_NET_CLIENT_LIST")?;
        let reply = self.connection.get_property(
            false,
            self.root,
            listed,
            AtomEnum::WINDOW,
            0,
            MAX_WINDOWS as u32,
        )?;
        let reply = reply.reply()?;
        let managed = reply.format == 32;
        let windows: Vec<Window> = if managed {
            reply.value32().into_iter().flatten().take(MAX_WINDOWS).collect()
        } else {
            // There is no window manager.
            let children = self.connection.query_tree(self.root)?.reply()?.children;
            children.into_iter().take(MAX_WINDOWS).collect()
        };
        let (wide_name, pid_less) = (self.atom("_NET_WM_NAME")?, AtomEnum::WM_NAME.into());
        let mut found = Vec::new();
        for window in windows {
            // Any window may close meanwhile.
            let about = self.about(window, managed, wide_name, pid_less);
            match about {
                Ok(Some(info)) => found.push((window, info)),
                Ok(None) => {}
                Err(Fault::Display(fault)) => return Err(Fault::Display(fault)),
                Err(fault) => tracing::debug!(%fault, window, "skipped a window"),
            }
        }
        Ok(found)
    }

    fn about(
        &self,
        window: Window,
        managed: bool,
        wide_name: xproto::Atom,
        name: xproto::Atom,
    ) -> Result<Option<WindowInfo>, Fault> {
        let attributes = self.connection.get_window_attributes(window)?.reply()?;
        let shown = attributes.map_state == MapState::VIEWABLE;
        let input_only = attributes.class == xproto::WindowClass::INPUT_ONLY;
        if input_only || (!managed && (!shown || attributes.override_redirect)) {
            return Ok(None);
        }
        let geometry = self.connection.get_geometry(window)?.reply()?;
        let mut title = printable(&self.property(window, wide_name)?);
        if title.is_empty() {
            let old = self.property(window, name)?;
            title =
                printable(old.iter().map(|&byte| char::from(byte)).collect::<String>().as_bytes());
        }
        let class = self.property(window, AtomEnum::WM_CLASS.into())?;
        let class = class.split(|&byte| byte == 0).nth(1).map(printable).unwrap_or_default();
        if title.is_empty() && class.is_empty() {
            return Ok(None);
        }
        let size = Size::new(geometry.width.into(), geometry.height.into());
        let number = number_of(window);
        let id = match (class.as_str(), title.as_str()) {
            ("", _) => number.clone(),
            (class, "") => class.to_owned(),
            (class, title) => format!("{class}/{title}"),
        };
        let name = if title.is_empty() { class.clone() } else { title };
        Ok(Some(WindowInfo { id, name, class, number, size, shown }))
    }
}

/// A connection that tells which window is in front.
pub(in crate::capture) struct FrontConnection {
    display: Display,
    active: xproto::Atom,
    wide_name: xproto::Atom,
}

impl FrontConnection {
    pub fn connect() -> Result<Self, Fault> {
        let display = Display::connect()?;
        let [active, wide_name] =
            ["_NET_ACTIVE_WINDOW", "_NET_WM_NAME"].map(|name| display.atom(name));
        let (active, wide_name) = (active?, wide_name?);
        Ok(Self { display, active, wide_name })
    }

    /// Returns the window in front, or `None` if there is none.
    pub fn window(&self) -> Result<Option<WindowInfo>, Fault> {
        let Display { connection, root, .. } = &self.display;
        let window = AtomEnum::WINDOW;
        let reply = connection.get_property(false, *root, self.active, window, 0, 1)?.reply()?;
        let window = reply.value32().and_then(|mut windows| windows.next());
        match window.filter(|window| *window != 0) {
            None => Ok(None),
            // A window can be closed after the first answer. The next look finds another one.
            Some(window) => match connection.get_window_attributes(window)?.reply() {
                Err(ReplyError::X11Error(_)) => Ok(None),
                Err(error) => Err(error.into()),
                Ok(_) => self.display.about(window, true, self.wide_name, AtomEnum::WM_NAME.into()),
            },
        }
    }
}

/// Returns the number of a window as text.
fn number_of(window: Window) -> String {
    format!("{window:#x}")
}

/// Converts a text of another program to UTF-8 without harmful characters.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let shown = text.chars().filter(|&sign| is_harmless(sign));
    shown.take(200).collect::<String>().trim().to_owned()
}

impl ScreenSystem for X11 {
    fn screens(&self) -> Result<Vec<ScreenInfo>, Fault> {
        Display::connect()?.monitors()
    }

    fn windows(&self) -> Result<Vec<WindowInfo>, Fault> {
        let windows = Display::connect()?.windows()?;
        Ok(windows.into_iter().map(|(_, info)| info).collect())
    }

    fn grab_screen(
        &self,
        id: Option<&str>,
        part: Option<Area>,
        attempt: &Attempt<'_>,
    ) -> Result<Box<dyn Grabber>, Fault> {
        let display = Display::connect()?;
        let screens = display.monitors()?;
        let screen = match id {
            None | Some(MAIN_DISPLAY_ID) => screens.first(),
            // This entry follows the single displays. Without other displays, it is the only one.
            Some(ALL_DISPLAYS_ID) => screens.last(),
            Some(id) => screens.iter().find(|screen| screen.id == id),
        };
        let screen = screen.ok_or_else(|| Fault::Absent("no such screen".to_owned()))?.clone();
        let area = match part {
            None => screen.area,
            Some(part) => part
                .moved(screen.area.x, screen.area.y)
                .within(screen.area)
                .ok_or_else(|| Fault::Absent("the region lies beside the screen".to_owned()))?,
        };
        let events = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        display.connection.change_window_attributes(display.root, &events)?;
        if display.has(randr::X11_EXTENSION_NAME)? {
            let layout = randr::NotifyMask::SCREEN_CHANGE
                | randr::NotifyMask::CRTC_CHANGE
                | randr::NotifyMask::OUTPUT_CHANGE;
            display.connection.randr_select_input(display.root, layout)?;
        }
        let root = display.root;
        let name = screen.name.clone();
        let grab = Grab::begin(display, root, root, area, name, screen.id, attempt.pointer)?;
        Ok(Box::new(grab))
    }

    fn grab_window(&self, id: &str, attempt: &Attempt<'_>) -> Result<Box<dyn Grabber>, Fault> {
        let display = Display::connect()?;
        let windows = display.windows()?;
        let infos: Vec<&WindowInfo> = windows.iter().map(|(_, info)| info).collect();
        let found = WindowInfo::position_again(&infos, attempt.before, id);
        let (window, info) = found
            .and_then(|found| windows.get(found))
            .map(|(window, info)| (*window, info.clone()))
            .ok_or_else(|| Fault::Absent("no such window".to_owned()))?;
        if !info.shown {
            return Err(Fault::Hidden(info.name));
        }
        if !display.has(composite::X11_EXTENSION_NAME)? {
            return Err(Fault::Format(problem!("display-no-composite")));
        }
        let connection = &display.connection;
        connection.composite_query_version(0, 4)?.reply()?;
        connection.composite_redirect_window(window, Redirect::AUTOMATIC)?.check()?;
        let events = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        connection.change_window_attributes(window, &events)?.check()?;
        let geometry = connection.get_geometry(window)?.reply()?;
        let pixmap = connection.generate_id()?;
        connection.composite_name_window_pixmap(window, pixmap)?.check()?;
        let border = u32::from(geometry.border_width);
        let area = Area::new(border, border, geometry.width.into(), geometry.height.into());
        let (name, id) = (info.name, id.to_owned());
        let mut grab = Grab::begin(display, pixmap, window, area, name, id, attempt.pointer)?;
        grab.geometry = Some((geometry.width, geometry.height, geometry.border_width));
        Ok(Box::new(grab))
    }
}

/// A capture of a drawable.
struct Grab {
    display: Display,
    /// The source of pixels: the root window, or a window's own pixmap.
    pixels: Drawable,
    /// The captured window.
    window: Window,
    /// The captured part, in the coordinates of `pixels`.
    area: Area,
    /// The width, height and border width of the window to which the pixmap `pixels` belongs. After
    /// any change, the window has another pixmap.
    geometry: Option<(u16, u16, u16)>,
    name: String,
    id: String,
    /// The number of a captured window.
    number: Option<String>,
    memory: Option<(Segment, shm::Seg)>,
    /// Buffer for pixels from the connection, if there is no shared memory.
    carried: Vec<u8>,
    damage: Option<(damage::Damage, xfixes::Region)>,
    pointer: Option<PointerWatch>,
}

struct PointerWatch {
    image: Option<Arc<Pointer>>,
    stale: bool,
}

impl Grab {
    fn begin(
        display: Display,
        pixels: Drawable,
        window: Window,
        area: Area,
        name: String,
        id: String,
        pointer: bool,
    ) -> Result<Self, Fault> {
        let area = area.even().map_err(Fault::Format)?;
        let connection = &display.connection;
        let fixes = display.has(xfixes::X11_EXTENSION_NAME)?;
        if fixes {
            connection.xfixes_query_version(4, 0)?.reply()?;
        }
        let damage = if fixes && display.has(damage::X11_EXTENSION_NAME)? {
            connection.damage_query_version(1, 1)?.reply()?;
            let (damage, region) = (connection.generate_id()?, connection.generate_id()?);
            connection.damage_create(damage, window, ReportLevel::NON_EMPTY)?.check()?;
            connection.xfixes_create_region(region, &[])?.check()?;
            Some((damage, region))
        } else {
            None
        };
        let pointer = (pointer && fixes).then_some(PointerWatch { image: None, stale: true });
        if pointer.is_some() {
            let mask = CursorNotifyMask::DISPLAY_CURSOR;
            connection.xfixes_select_cursor_input(display.root, mask)?.check()?;
        }
        let memory = match display.share(area.pixels() * 4) {
            Ok(memory) => Some(memory),
            Err(fault) => {
                tracing::info!(%fault, "no shared memory with the display: pixels arrive through the socket");
                None
            }
        };
        let carried = Vec::new();
        let number = (pixels != window).then(|| number_of(window));
        Ok(Self {
            display,
            pixels,
            window,
            area,
            geometry: None,
            name,
            id,
            number,
            memory,
            carried,
            damage,
            pointer,
        })
    }

    /// Returns the part that changed since the last call.
    fn damaged(&self) -> Result<Option<Area>, Fault> {
        let Some((damage, region)) = self.damage else { return Ok(None) };
        let connection = &self.display.connection;
        connection.damage_subtract(damage, x11rb::NONE, region)?;
        let changed = connection.xfixes_fetch_region(region)?.reply()?.extents;
        // Damage is relative to the window's corner, but the window's pixmap begins at its border.
        let border = if self.pixels == self.window { (0, 0) } else { (self.area.x, self.area.y) };
        let start = |at: i16, offset: u32| i64::from(at) + i64::from(offset);
        let (x, y) = (start(changed.x, border.0), start(changed.y, border.1));
        Ok(Area::clipped(x, y, changed.width.into(), changed.height.into())
            .and_then(|changed| changed.within(self.area))
            .map(|changed| changed.relative_to(self.area)))
    }
}

impl Display {
    /// Allocates memory into which the server writes.
    fn share(&self, bytes: usize) -> Result<(Segment, shm::Seg), Fault> {
        if !self.has(shm::X11_EXTENSION_NAME)? {
            return Err(other("no MIT-SHM"));
        }
        let version = self.connection.shm_query_version()?.reply()?;
        if (version.major_version, version.minor_version) < (1, 2) {
            return Err(other("MIT-SHM is older than 1.2"));
        }
        let segment = self.connection.generate_id()?;
        let length = u32::try_from(bytes).map_err(other)?;
        let made = self.connection.shm_create_segment(segment, length, false)?.reply()?;
        let descriptor: OwnedFd = made.shm_fd;
        let memory = Segment::map(descriptor, bytes).map_err(other)?;
        Ok((memory, segment))
    }
}

impl Grabber for Grab {
    fn size(&self) -> Size {
        Size::new(self.area.width, self.area.height)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn number(&self) -> Option<&str> {
        self.number.as_deref()
    }

    fn changes(&mut self) -> Result<Change, Fault> {
        let mut change = Change::default();
        let mut touched = self.damage.is_none();
        let whole = Area::new(0, 0, self.area.width, self.area.height);
        while let Some(event) = self.display.connection.poll_for_event()? {
            match event {
                Event::DamageNotify(_) => touched = true,
                Event::XfixesCursorNotify(_) => {
                    if let Some(pointer) = &mut self.pointer {
                        pointer.stale = true;
                    }
                }
                Event::DestroyNotify(gone) if gone.window == self.window => {
                    return Err(Fault::Absent("the window was closed".to_owned()));
                }
                Event::UnmapNotify(gone) if gone.window == self.window => {
                    return Err(Fault::Hidden(self.name.clone()));
                }
                Event::ConfigureNotify(now) if now.window == self.window => {
                    let geometry = (now.width, now.height, now.border_width);
                    change.reshaped |= self.geometry.is_some_and(|before| before != geometry);
                }
                Event::RandrScreenChangeNotify(_) | Event::RandrNotify(_) => {
                    change.reshaped = true;
                }
                Event::Error(error) => {
                    tracing::debug!(?error, "error from the display");
                }
                _ => {}
            }
        }
        if change.reshaped {
            return Ok(change);
        }
        if touched {
            change.dirty = match self.damage {
                Some(_) => self.damaged()?,
                None => Some(whole),
            };
        }
        Ok(change)
    }

    fn show_part(&mut self, _: Option<Area>) -> bool {
        // Reopening takes only a moment, and shows no dialog.
        false
    }

    fn read(&mut self, part: Area) -> Result<&[u8], Fault> {
        let short = || other("a frame that is too short");
        let side = |side: u32| u16::try_from(side).map_err(other);
        let place = |at: u32| i16::try_from(at).map_err(other);
        let (x, y) = (place(self.area.x + part.x)?, place(self.area.y + part.y)?);
        let (width, height) = (side(part.width)?, side(part.height)?);
        let bytes = part.pixels() * 4;
        let connection = &self.display.connection;
        let format = ImageFormat::Z_PIXMAP;
        if let Some((memory, segment)) = &self.memory
            && bytes <= memory.bytes().len()
        {
            connection
                .shm_get_image(self.pixels, x, y, width, height, !0, format.into(), *segment, 0)?
                .reply()?;
            return memory.bytes().get(..bytes).ok_or_else(short);
        }
        let reply = connection.get_image(format, self.pixels, x, y, width, height, !0)?.reply()?;
        self.carried = reply.data;
        self.carried.get(..bytes).ok_or_else(short)
    }

    fn pointer(&mut self) -> Result<Option<PlacedPointer>, Fault> {
        let connection = &self.display.connection;
        let Some(watch) = &mut self.pointer else { return Ok(None) };
        let at = connection.query_pointer(self.window)?.reply()?;
        if watch.stale {
            let image = connection.xfixes_get_cursor_image()?.reply()?;
            watch.stale = false;
            let fits = image.width <= MAX_POINTER_SIDE && image.height <= MAX_POINTER_SIDE;
            let pixels = usize::from(image.width) * usize::from(image.height);
            watch.image = (fits && image.cursor_image.len() >= pixels && pixels > 0).then(|| {
                Arc::new(Pointer {
                    width: image.width.into(),
                    height: image.height.into(),
                    hot: (image.xhot.into(), image.yhot.into()),
                    pixels: image.cursor_image,
                })
            });
        }
        let Some(image) = watch.image.clone().filter(|_| at.same_screen) else { return Ok(None) };
        // Coordinates of a window begin inside its border, like its area.
        let (left, top) =
            if self.pixels == self.window { (self.area.x, self.area.y) } else { (0, 0) };
        let corner =
            |at: i16, hot: u32, start: u32| i64::from(at) - i64::from(hot) - i64::from(start);
        let (x, y) = (corner(at.win_x, image.hot.0, left), corner(at.win_y, image.hot.1, top));
        Ok(Some(PlacedPointer { x, y, image }))
    }
}
