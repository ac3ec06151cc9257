//! A device of Direct3D, and a picture that it copies to where the processor can read it.
#![allow(unsafe_code)]

use windows::Win32::Foundation::HMODULE;
use windows::Win32::Graphics::Direct3D::{
    D3D_DRIVER_TYPE, D3D_DRIVER_TYPE_HARDWARE, D3D_DRIVER_TYPE_UNKNOWN, D3D_DRIVER_TYPE_WARP,
};
use windows::Win32::Graphics::Direct3D11::{
    D3D11_BOX, D3D11_CPU_ACCESS_READ, D3D11_CREATE_DEVICE_BGRA_SUPPORT, D3D11_MAP_READ,
    D3D11_MAPPED_SUBRESOURCE, D3D11_SDK_VERSION, D3D11_TEXTURE2D_DESC, D3D11_USAGE_STAGING,
    D3D11CreateDevice, ID3D11Device, ID3D11DeviceContext, ID3D11Multithread, ID3D11Texture2D,
};
use windows::Win32::Graphics::Dxgi::Common::{DXGI_FORMAT_B8G8R8A8_UNORM, DXGI_SAMPLE_DESC};
use windows::Win32::Graphics::Dxgi::IDXGIAdapter;
use windows::core::Interface as _;

use crate::capture::screen::area::Area;
use crate::capture::screen::display::Fault;
use crate::media::Size;

/// Maximum side length of a texture in pixels (`D3D11_REQ_TEXTURE2D_U_OR_V_DIMENSION`).
const MAX_SIDE: u32 = 16_384;

/// Returns the fault of a call that failed.
pub(super) fn failed(what: &'static str) -> impl Fn(windows::core::Error) -> Fault {
    move |error| Fault::Other(format!("{what}: {error}"))
}

/// A device, and the context of the thread that made it.
#[derive(Clone)]
pub(super) struct Device {
    pub(super) device: ID3D11Device,
    context: ID3D11DeviceContext,
}

impl Device {
    /// Returns a device of this graphics card. Without one, returns a device of the main card, or one that the
    /// processor imitates.
    pub(super) fn new(card: Option<&IDXGIAdapter>) -> Result<Self, Fault> {
        if card.is_some() {
            return Self::of_kind(card, D3D_DRIVER_TYPE_UNKNOWN);
        }
        Self::of_kind(None, D3D_DRIVER_TYPE_HARDWARE)
            .or_else(|_| Self::of_kind(None, D3D_DRIVER_TYPE_WARP))
    }

    fn of_kind(card: Option<&IDXGIAdapter>, kind: D3D_DRIVER_TYPE) -> Result<Self, Fault> {
        let (mut device, mut context) = (None, None);
        // SAFETY: the call writes the two values.
        unsafe {
            D3D11CreateDevice(
                card,
                kind,
                HMODULE::default(),
                D3D11_CREATE_DEVICE_BGRA_SUPPORT,
                None,
                D3D11_SDK_VERSION,
                Some(&raw mut device),
                None,
                Some(&raw mut context),
            )
        }
        .map_err(failed("D3D11CreateDevice"))?;
        let nothing = || Fault::Other("D3D11CreateDevice: no device".to_owned());
        let (device, context): (ID3D11Device, ID3D11DeviceContext) =
            (device.ok_or_else(nothing)?, context.ok_or_else(nothing)?);
        // The frames of Windows.Graphics.Capture come on threads of the system, which use the device, too.
        if let Ok(guard) = context.cast::<ID3D11Multithread>() {
            // SAFETY: a plain call.
            let _ = unsafe { guard.SetMultithreadProtected(true) };
        }
        Ok(Self { device, context })
    }
}

/// A picture in memory that the processor can read: rows from top to bottom, with blue, green, red and an unused byte
/// in each pixel.
pub(super) struct Picture {
    device: Device,
    texture: ID3D11Texture2D,
    size: Size,
    /// The rows that were read last.
    rows: Vec<u8>,
}

impl Picture {
    pub(super) fn new(device: &Device, size: Size) -> Result<Self, Fault> {
        let fits = |side: u32| (1..=MAX_SIDE).contains(&side);
        if !fits(size.width) || !fits(size.height) {
            return Err(Fault::Other(format!("a picture of {size}")));
        }
        let about = D3D11_TEXTURE2D_DESC {
            Width: size.width,
            Height: size.height,
            MipLevels: 1,
            ArraySize: 1,
            Format: DXGI_FORMAT_B8G8R8A8_UNORM,
            SampleDesc: DXGI_SAMPLE_DESC { Count: 1, Quality: 0 },
            Usage: D3D11_USAGE_STAGING,
            CPUAccessFlags: D3D11_CPU_ACCESS_READ.0.cast_unsigned(),
            ..D3D11_TEXTURE2D_DESC::default()
        };
        let mut texture = None;
        // SAFETY: the call reads the description and writes the texture.
        unsafe { device.device.CreateTexture2D(&raw const about, None, Some(&raw mut texture)) }
            .map_err(failed("CreateTexture2D"))?;
        let texture =
            texture.ok_or_else(|| Fault::Other("CreateTexture2D: no texture".to_owned()))?;
        Ok(Self { device: device.clone(), texture, size, rows: Vec::new() })
    }

    /// Copies the part of a texture that begins at this corner. Returns false if the texture does not have all of this
    /// part, as while a window changes its size.
    pub(super) fn copy(
        &mut self,
        from: &ID3D11Texture2D,
        (left, top): (u32, u32),
    ) -> Result<bool, Fault> {
        let mut about = D3D11_TEXTURE2D_DESC::default();
        // SAFETY: the call writes the description.
        unsafe { from.GetDesc(&raw mut about) };
        // Between other formats, the copy below would do nothing.
        if about.Format != DXGI_FORMAT_B8G8R8A8_UNORM {
            return Err(Fault::Other(format!("a texture of format {}", about.Format.0)));
        }
        let (Some(right), Some(bottom)) =
            (left.checked_add(self.size.width), top.checked_add(self.size.height))
        else {
            return Ok(false);
        };
        if right > about.Width || bottom > about.Height {
            return Ok(false);
        }
        let part = D3D11_BOX { left, top, front: 0, right, bottom, back: 1 };
        // SAFETY: both textures belong to this device and have this format, and the part lies within both.
        unsafe {
            let part = Some(&raw const part);
            self.device.context.CopySubresourceRegion(&self.texture, 0, 0, 0, 0, from, 0, part);
        }
        Ok(true)
    }

    /// Returns the rows of a part, without padding.
    pub(super) fn read(&mut self, part: Area) -> Result<&[u8], Fault> {
        let whole = Area::new(0, 0, self.size.width, self.size.height);
        if part.within(whole) != Some(part) {
            return Err(Fault::Other("a part beside the picture".to_owned()));
        }
        let mut mapped = D3D11_MAPPED_SUBRESOURCE::default();
        let context = &self.device.context;
        // SAFETY: the texture can be read. This waits until the card has made the last copy.
        unsafe { context.Map(&self.texture, 0, D3D11_MAP_READ, 0, Some(&raw mut mapped)) }
            .map_err(failed("Map"))?;
        let (left, width) = (part.x as usize * 4, part.width as usize * 4);
        let pitch = mapped.RowPitch as usize;
        let is_whole = !mapped.pData.is_null() && pitch >= self.size.width as usize * 4;
        self.rows.clear();
        if is_whole {
            for row in part.y as usize..part.y as usize + part.height as usize {
                // SAFETY: the memory has as many rows of this pitch as the texture, and the part lies within it. It
                // stays mapped until the end of this loop.
                let row = unsafe {
                    let start = mapped.pData.cast::<u8>().add(row * pitch + left);
                    std::slice::from_raw_parts(start, width)
                };
                self.rows.extend_from_slice(row);
            }
        }
        // SAFETY: it was mapped above.
        unsafe { context.Unmap(&self.texture, 0) };
        if is_whole {
            Ok(&self.rows)
        } else {
            Err(Fault::Other("Map: rows that are too short".to_owned()))
        }
    }
}
