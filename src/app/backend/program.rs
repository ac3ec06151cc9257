//! Shader programs.

use eframe::glow::{self, HasContext as _};

/// Links a shader program from the sources of its vertex and fragment shaders. The attributes are
/// numbered from 0, in the order of `attributes`.
///
/// # Errors
/// Fails with the driver's log.
///
/// # Safety
/// The context must be current on this thread.
pub unsafe fn link(
    gl: &glow::Context,
    version: &str,
    [vertex, fragment]: [&str; 2],
    attributes: &[&str],
) -> Result<glow::Program, String> {
    // SAFETY: the caller guarantees this; every used name was created here.
    unsafe {
        let program = gl.create_program()?;
        for (kind, source) in [(glow::VERTEX_SHADER, vertex), (glow::FRAGMENT_SHADER, fragment)] {
            let shader = gl.create_shader(kind)?;
            gl.shader_source(shader, &format!("{version}\n{source}"));
            gl.compile_shader(shader);
            if !gl.get_shader_compile_status(shader) {
                return Err(gl.get_shader_info_log(shader));
            }
            gl.attach_shader(program, shader);
            // The driver deletes the shader together with the shader program.
            gl.delete_shader(shader);
        }
        for (index, name) in (0..).zip(attributes) {
            gl.bind_attrib_location(program, index, name);
        }
        gl.link_program(program);
        if !gl.get_program_link_status(program) {
            return Err(gl.get_program_info_log(program));
        }
        Ok(program)
    }
}
