//! Functions of the libraries, which are loaded by their names.

use std::ffi::c_void;

/// Objects of the libraries.
pub(super) type Object = *mut c_void;

/// Declares functions and the structure that has them, and loads each by its name.
macro_rules! functions {
    ($structure:ident: $(fn $name:ident($($kind:ty),*) $(-> $result:ty)?;)*) => {
        struct $structure {
            $($name: unsafe extern "C" fn($($kind),*) $(-> $result)?,)*
        }

        impl $structure {
            fn of(library: &Loaded) -> Result<Self, Refusal> {
                Ok(Self {$(
                    $name: {
                        let name = concat!(stringify!($name), "\0").as_bytes();
                        // SAFETY: the function has this type in all known versions.
                        let found = unsafe { library.function(name) };
                        found.ok_or_else(|| {
                            Refusal::Incomplete { function: stringify!($name).to_owned() }
                        })?
                    },
                )*})
            }
        }
    };
}

pub(super) use functions;
