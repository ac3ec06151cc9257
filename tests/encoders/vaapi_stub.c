/* A stand-in for a driver of VAAPI, for tests of the path to encoders that take frames in the memory of the graphics card.
 * LIBVA_STUB_MODE selects how it behaves: works, cqp (neither CBR nor VBR), low (only the low-power mode), crash or hang
 * (in the tenth frame). Like older drivers of AMD, it writes the parameter sets only into the stream. */
#include <va/va_backend.h>
#include <va/va_enc_h264.h>

#include "h264_stub.h"

enum { FRAMES_UNTIL_TROUBLE = 10, MAX_SURFACES = 256, MAX_BUFFERS = 1024 };

static int mode_is(const char *mode) {
    const char *chosen = getenv("LIBVA_STUB_MODE");
    return chosen && !strcmp(chosen, mode);
}

static struct { uint8_t *data; unsigned width, height, pitch; } surfaces[MAX_SURFACES];
static struct { VABufferType type; uint8_t *data; int is_alias; VACodedBufferSegment coded; } buffers[MAX_BUFFERS];
static unsigned frames;
static VASurfaceID current;
static VABufferID coded;
static int is_key;

/* Numbers begin with 1. */
#define SURFACE(id) (surfaces[(id) - 1])
#define BUFFER(id) (buffers[(id) - 1])

static VAStatus unimplemented(void) { return VA_STATUS_ERROR_UNIMPLEMENTED; }
static VAStatus nothing(void) { return VA_STATUS_SUCCESS; }

static VAStatus profiles(VADriverContextP context, VAProfile *list, int *count) {
    list[0] = VAProfileH264High; list[1] = VAProfileH264Main; list[2] = VAProfileH264ConstrainedBaseline;
    *count = 3;
    return VA_STATUS_SUCCESS;
}

static VAStatus entrypoints(VADriverContextP context, VAProfile profile, VAEntrypoint *list, int *count) {
    list[0] = mode_is("low") ? VAEntrypointEncSliceLP : VAEntrypointEncSlice;
    *count = 1;
    return VA_STATUS_SUCCESS;
}

static VAStatus attributes(VADriverContextP context, VAProfile profile, VAEntrypoint entrypoint,
                           VAConfigAttrib *list, int count) {
    for (int at = 0; at < count; at++)
        switch (list[at].type) {
        case VAConfigAttribRTFormat: list[at].value = VA_RT_FORMAT_YUV420; break;
        case VAConfigAttribRateControl:
            list[at].value = mode_is("cqp") ? VA_RC_CQP : VA_RC_CQP | VA_RC_CBR | VA_RC_VBR;
            break;
        case VAConfigAttribEncMaxRefFrames: list[at].value = 1; break;
        default: list[at].value = VA_ATTRIB_NOT_SUPPORTED;
        }
    return VA_STATUS_SUCCESS;
}

static VAStatus create_config(VADriverContextP context, VAProfile profile, VAEntrypoint entrypoint,
                              VAConfigAttrib *list, int count, VAConfigID *config) {
    *config = 1;
    return VA_STATUS_SUCCESS;
}

static VAStatus surface_attributes(VADriverContextP context, VAConfigID config, VASurfaceAttrib *list,
                                   unsigned *count) {
    static const struct { VASurfaceAttribType type; int value; } all[] = {
        {VASurfaceAttribPixelFormat, VA_FOURCC_NV12}, {VASurfaceAttribMinWidth, 16}, {VASurfaceAttribMinHeight, 16},
        {VASurfaceAttribMaxWidth, 4096}, {VASurfaceAttribMaxHeight, 4096},
    };
    *count = sizeof all / sizeof *all;
    for (unsigned at = 0; list && at < *count; at++) {
        list[at].type = all[at].type;
        list[at].flags = VA_SURFACE_ATTRIB_GETTABLE | (at ? 0 : VA_SURFACE_ATTRIB_SETTABLE);
        list[at].value.type = VAGenericValueTypeInteger;
        list[at].value.value.i = all[at].value;
    }
    return VA_STATUS_SUCCESS;
}

static VAStatus create_surfaces(VADriverContextP context, unsigned format, unsigned wide, unsigned high,
                                VASurfaceID *list, unsigned count, VASurfaceAttrib *attributes, unsigned more) {
    for (unsigned made = 0, at = 0; made < count; at++) {
        if (at == MAX_SURFACES) return VA_STATUS_ERROR_ALLOCATION_FAILED;
        if (surfaces[at].data) continue;
        /* Room for whole macroblocks. */
        unsigned pitch = (wide + 63) / 64 * 64, rows = (high + 15) / 16 * 16;
        surfaces[at].data = calloc(pitch, rows * 3 / 2);
        surfaces[at].width = wide; surfaces[at].height = rows; surfaces[at].pitch = pitch;
        list[made++] = at + 1;
    }
    return VA_STATUS_SUCCESS;
}

static VAStatus destroy_surfaces(VADriverContextP context, VASurfaceID *list, int count) {
    for (int at = 0; at < count; at++) { free(SURFACE(list[at]).data); SURFACE(list[at]).data = NULL; }
    return VA_STATUS_SUCCESS;
}

static VAStatus create_context(VADriverContextP context, VAConfigID config, int wide, int high, int flags,
                               VASurfaceID *targets, int count, VAContextID *made) {
    bits = malloc((size_t)(wide + 64) * (high + 64) * 2 + 4096);
    *made = 1;
    return VA_STATUS_SUCCESS;
}

static VAStatus create_buffer(VADriverContextP context, VAContextID of, VABufferType type, unsigned size,
                              unsigned count, void *data, VABufferID *made) {
    unsigned at = 0;
    while (at < MAX_BUFFERS && buffers[at].data) at++;
    if (at == MAX_BUFFERS) return VA_STATUS_ERROR_ALLOCATION_FAILED;
    buffers[at].type = type; buffers[at].is_alias = 0;
    buffers[at].data = malloc((size_t)size * count + 64);
    if (data) memcpy(buffers[at].data, data, (size_t)size * count);
    *made = at + 1;
    return VA_STATUS_SUCCESS;
}

static VAStatus map_buffer(VADriverContextP context, VABufferID buffer, void **data) {
    *data = BUFFER(buffer).type == VAEncCodedBufferType ? (void *)&BUFFER(buffer).coded : BUFFER(buffer).data;
    return VA_STATUS_SUCCESS;
}

static VAStatus destroy_buffer(VADriverContextP context, VABufferID buffer) {
    if (!BUFFER(buffer).is_alias) free(BUFFER(buffer).data);
    BUFFER(buffer).data = NULL;
    return VA_STATUS_SUCCESS;
}

static VAStatus image_formats(VADriverContextP context, VAImageFormat *list, int *count) {
    memset(list, 0, sizeof *list);
    list->fourcc = VA_FOURCC_NV12; list->byte_order = VA_LSB_FIRST; list->bits_per_pixel = 12;
    *count = 1;
    return VA_STATUS_SUCCESS;
}

static VAStatus derive_image(VADriverContextP context, VASurfaceID surface, VAImage *image) {
    VABufferID buffer;
    create_buffer(context, 1, VAImageBufferType, 0, 0, NULL, &buffer);
    free(BUFFER(buffer).data);
    BUFFER(buffer).data = SURFACE(surface).data; BUFFER(buffer).is_alias = 1;
    unsigned pitch = SURFACE(surface).pitch, rows = SURFACE(surface).height;
    int count;
    memset(image, 0, sizeof *image);
    image_formats(context, &image->format, &count);
    image->image_id = buffer; image->buf = buffer;
    image->width = SURFACE(surface).width; image->height = rows;
    image->num_planes = 2; image->data_size = pitch * rows * 3 / 2;
    image->pitches[0] = image->pitches[1] = pitch; image->offsets[1] = pitch * rows;
    return VA_STATUS_SUCCESS;
}

static VAStatus begin(VADriverContextP context, VAContextID of, VASurfaceID surface) {
    current = surface;
    return VA_STATUS_SUCCESS;
}

static VAStatus render(VADriverContextP context, VAContextID of, VABufferID *list, int count) {
    for (int at = 0; at < count; at++) {
        void *data = BUFFER(list[at]).data;
        if (BUFFER(list[at]).type == VAEncSequenceParameterBufferType) {
            VAEncSequenceParameterBufferH264 *sequence = data;
            width = sequence->picture_width_in_mbs * 16; height = sequence->picture_height_in_mbs * 16;
            if (sequence->frame_cropping_flag) {
                width -= 2 * sequence->frame_crop_right_offset; height -= 2 * sequence->frame_crop_bottom_offset;
            }
        } else if (BUFFER(list[at]).type == VAEncPictureParameterBufferType) {
            VAEncPictureParameterBufferH264 *picture = data;
            coded = picture->coded_buf; is_key = picture->pic_fields.bits.idr_pic_flag;
        }
    }
    return VA_STATUS_SUCCESS;
}

static VAStatus end(VADriverContextP context, VAContextID of) {
    int is_last = ++frames == FRAMES_UNTIL_TROUBLE;
    if (is_last && mode_is("crash")) *(volatile int *)8 = 1;
    if (is_last && mode_is("hang")) sleep(60);
    uint8_t *out = BUFFER(coded).data;
    size_t pitch = SURFACE(current).pitch, length = is_key ? sets(out) : 0;
    const uint8_t *luma = SURFACE(current).data, *colors = luma + pitch * SURFACE(current).height;
    struct image image = {luma, colors, colors + 1, pitch, pitch, 2};
    length += is_key ? keyframe(out + length, image) : repeated(out);
    memset(&BUFFER(coded).coded, 0, sizeof BUFFER(coded).coded);
    BUFFER(coded).coded.size = length; BUFFER(coded).coded.buf = out;
    return VA_STATUS_SUCCESS;
}

#define JOINED(major, minor) __vaDriverInit_##major##_##minor
#define ENTRY(major, minor) JOINED(major, minor)

VAStatus ENTRY(VA_MAJOR_VERSION, VA_MINOR_VERSION)(VADriverContextP context) {
    context->version_major = VA_MAJOR_VERSION; context->version_minor = VA_MINOR_VERSION;
    context->max_profiles = 3; context->max_entrypoints = 1; context->max_attributes = 8;
    context->max_image_formats = 1; context->max_subpic_formats = 1; context->max_display_attributes = 1;
    context->str_vendor = "a stand-in for tests";
    struct VADriverVTable *table = context->vtable;
    void **functions = (void **)table;
    for (size_t at = 0; at < sizeof *table / sizeof(void *); at++) functions[at] = unimplemented;
    table->vaTerminate = (void *)nothing;
    table->vaQueryConfigProfiles = profiles;
    table->vaQueryConfigEntrypoints = entrypoints;
    table->vaGetConfigAttributes = attributes;
    table->vaCreateConfig = create_config;
    table->vaDestroyConfig = (void *)nothing;
    table->vaQuerySurfaceAttributes = surface_attributes;
    table->vaCreateSurfaces2 = create_surfaces;
    table->vaDestroySurfaces = destroy_surfaces;
    table->vaCreateContext = create_context;
    table->vaDestroyContext = (void *)nothing;
    table->vaCreateBuffer = create_buffer;
    table->vaMapBuffer = map_buffer;
    table->vaUnmapBuffer = (void *)nothing;
    table->vaDestroyBuffer = destroy_buffer;
    table->vaBeginPicture = begin;
    table->vaRenderPicture = render;
    table->vaEndPicture = end;
    table->vaSyncSurface = (void *)nothing;
    table->vaQueryImageFormats = image_formats;
    table->vaDeriveImage = derive_image;
    table->vaDestroyImage = destroy_buffer;
    return VA_STATUS_SUCCESS;
}
