//! Planes, copied.

use crate::media::Planes;

/// The same picture; what has no alpha plane on one side keeps it as it is.
pub(super) fn copy(from: &Planes, out: &mut Planes) {
    out.y.copy_from_slice(&from.y);
    out.u.copy_from_slice(&from.u);
    out.v.copy_from_slice(&from.v);
    if let (Some(out), Some(from)) = (&mut out.alpha, &from.alpha) {
        out.copy_from_slice(from);
    }
}
