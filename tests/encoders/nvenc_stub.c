/* A stand-in for NVIDIA's driver, for tests of the path to hardware encoders: with -DCUDA it is
 * libcuda.so.1, else libnvidia-encode.so.1. CUDA_STUB_MODE selects how it behaves: works, memory (no
 * session is left), cbr (refuses CBR), crash or hang (in the tenth frame), version (the driver is
 * too old). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef CUDA

#define NOTHING(name) int name(void) { return 0; }
NOTHING(cuArrayCreate_v2)
NOTHING(cuStreamWaitEvent)
NOTHING(cuCtxGetCurrent) NOTHING(cuInit) NOTHING(cuDeviceGetAttribute) NOTHING(cuCtxSetLimit) NOTHING(cuCtxPushCurrent_v2)
NOTHING(cuCtxPopCurrent_v2) NOTHING(cuCtxDestroy_v2) NOTHING(cuMemAlloc_v2)
NOTHING(cuMemAllocPitch_v2) NOTHING(cuMemAllocManaged) NOTHING(cuMemsetD8Async)
NOTHING(cuMemFree_v2) NOTHING(cuMemcpy) NOTHING(cuMemcpyAsync) NOTHING(cuMemcpy2D_v2)
NOTHING(cuMemcpy2DAsync_v2) NOTHING(cuMemcpyHtoD_v2) NOTHING(cuMemcpyHtoDAsync_v2)
NOTHING(cuMemcpyDtoH_v2) NOTHING(cuMemcpyDtoHAsync_v2) NOTHING(cuMemcpyDtoD_v2)
NOTHING(cuMemcpyDtoDAsync_v2) NOTHING(cuGetErrorName) NOTHING(cuGetErrorString)
NOTHING(cuCtxGetDevice) NOTHING(cuDevicePrimaryCtxRetain) NOTHING(cuDevicePrimaryCtxRelease)
NOTHING(cuDevicePrimaryCtxSetFlags) NOTHING(cuDevicePrimaryCtxGetState)
NOTHING(cuDevicePrimaryCtxReset) NOTHING(cuStreamCreate) NOTHING(cuStreamQuery)
NOTHING(cuStreamSynchronize) NOTHING(cuStreamDestroy_v2) NOTHING(cuStreamAddCallback)
NOTHING(cuEventCreate) NOTHING(cuEventDestroy_v2) NOTHING(cuEventSynchronize)
NOTHING(cuEventQuery) NOTHING(cuEventRecord) NOTHING(cuLaunchKernel) NOTHING(cuLinkCreate)
NOTHING(cuLinkAddData) NOTHING(cuLinkComplete) NOTHING(cuLinkDestroy) NOTHING(cuModuleLoadData)
NOTHING(cuModuleUnload) NOTHING(cuModuleGetFunction) NOTHING(cuModuleGetGlobal)
NOTHING(cuTexObjectCreate) NOTHING(cuTexObjectDestroy) NOTHING(cuGLGetDevices_v2)
NOTHING(cuGraphicsGLRegisterImage) NOTHING(cuGraphicsUnregisterResource)
NOTHING(cuGraphicsMapResources) NOTHING(cuGraphicsUnmapResources)
NOTHING(cuGraphicsSubResourceGetMappedArray) NOTHING(cuGraphicsResourceGetMappedPointer_v2)
NOTHING(cuArray3DCreate_v2) NOTHING(cuArrayDestroy)

int cuDriverGetVersion(int *version) { *version = 13000; return 0; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDeviceGet(int *device, int number) { *device = number; return 0; }
int cuDeviceGetName(char *name, int size, int device) {
    (void)device; strncpy(name, "Stub", size); return 0;
}
int cuDeviceComputeCapability(int *major, int *minor, int device) {
    (void)device; *major = 8; *minor = 6; return 0;
}
int cuCtxCreate_v2(void **context, unsigned flags, int device) {
    (void)flags; (void)device; *context = &cuInit; return 0;
}

#else

#include <ffnvcodec/nvEncodeAPI.h>

enum { FRAMES_UNTIL_TROUBLE = 10, MAX_BUFFERS = 64 };

static int mode_is(const char *mode) {
    const char *chosen = getenv("CUDA_STUB_MODE");
    return chosen && !strcmp(chosen, mode);
}

#include "h264_stub.h"

static unsigned pitch, frames;
static struct { uint8_t *input, *output; size_t length; int key; uint64_t time; } buffers[MAX_BUFFERS];
static unsigned inputs, outputs;

static NVENCSTATUS open_session(NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS *params, void **encoder) {
    (void)params;
    *encoder = mode_is("memory") ? NULL : &frames;
    return mode_is("memory") ? NV_ENC_ERR_OUT_OF_MEMORY : NV_ENC_SUCCESS;
}

static NVENCSTATUS guid_count(void *encoder, uint32_t *count) {
    (void)encoder; *count = 1; return NV_ENC_SUCCESS;
}

static NVENCSTATUS guids(void *encoder, GUID *list, uint32_t size, uint32_t *count) {
    (void)encoder; (void)size;
    list[0] = NV_ENC_CODEC_H264_GUID; *count = 1; return NV_ENC_SUCCESS;
}

static NVENCSTATUS caps(void *encoder, GUID codec, NV_ENC_CAPS_PARAM *param, int *value) {
    (void)encoder; (void)codec;
    switch (param->capsToQuery) {
    case NV_ENC_CAPS_WIDTH_MAX: case NV_ENC_CAPS_HEIGHT_MAX: *value = 4096; break;
    case NV_ENC_CAPS_NUM_MAX_BFRAMES: *value = 0; break;
    default: *value = 1;
    }
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS preset_ex(void *encoder, GUID codec, GUID preset, NV_ENC_TUNING_INFO tuning,
                             NV_ENC_PRESET_CONFIG *config) {
    (void)encoder; (void)codec; (void)preset; (void)tuning;
    config->presetCfg.gopLength = 60; config->presetCfg.frameIntervalP = 1;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS preset(void *encoder, GUID codec, GUID chosen, NV_ENC_PRESET_CONFIG *config) {
    return preset_ex(encoder, codec, chosen, 0, config);
}

static NVENCSTATUS initialize(void *encoder, NV_ENC_INITIALIZE_PARAMS *params) {
    (void)encoder;
    if (mode_is("cbr") && params->encodeConfig->rcParams.rateControlMode == NV_ENC_PARAMS_RC_CBR)
        return NV_ENC_ERR_UNSUPPORTED_PARAM;
    width = params->encodeWidth; height = params->encodeHeight;
    pitch = (width + 63) / 64 * 64;
    bits = malloc((size_t)pitch * height * 4 + 4096);
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS reconfigure(void *encoder, NV_ENC_RECONFIGURE_PARAMS *params) {
    (void)encoder; (void)params; return NV_ENC_SUCCESS;
}

static NVENCSTATUS create_input(void *encoder, NV_ENC_CREATE_INPUT_BUFFER *params) {
    (void)encoder;
    buffers[inputs].input = malloc((size_t)pitch * height * 2);
    params->inputBuffer = buffers[inputs++].input;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS create_output(void *encoder, NV_ENC_CREATE_BITSTREAM_BUFFER *params) {
    (void)encoder;
    buffers[outputs].output = malloc((size_t)pitch * height * 4 + 4096);
    params->bitstreamBuffer = &buffers[outputs++];
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS lock_input(void *encoder, NV_ENC_LOCK_INPUT_BUFFER *params) {
    (void)encoder;
    params->bufferDataPtr = params->inputBuffer; params->pitch = pitch;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS nothing(void *encoder, void *what) {
    (void)encoder; (void)what; return NV_ENC_SUCCESS;
}

static NVENCSTATUS encode(void *encoder, NV_ENC_PIC_PARAMS *params) {
    (void)encoder;
    if (params->encodePicFlags & NV_ENC_PIC_FLAG_EOS) return NV_ENC_SUCCESS;
    int is_last = ++frames == FRAMES_UNTIL_TROUBLE;
    if (is_last && mode_is("crash")) *(volatile int *)8 = 1;
    if (is_last && mode_is("hang")) sleep(60);
    unsigned place = 0;
    while (place < outputs && (void *)&buffers[place] != params->outputBitstream) place++;
    int key = frames == 1 || params->encodePicFlags & (NV_ENC_PIC_FLAG_FORCEIDR | NV_ENC_PIC_FLAG_FORCEINTRA);
    uint8_t *out = buffers[place].output;
    const uint8_t *luma = params->inputBuffer, *red = luma + (size_t)pitch * height;
    const uint8_t *blue = red + (size_t)pitch / 2 * (height / 2);
    struct image image = {luma, blue, red, pitch, pitch / 2, 1};
    buffers[place].length = key ? keyframe(out, image) : repeated(out);
    buffers[place].key = key; buffers[place].time = params->inputTimeStamp;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS lock_output(void *encoder, NV_ENC_LOCK_BITSTREAM *params) {
    (void)encoder;
    for (unsigned place = 0; place < outputs; place++)
        if ((void *)&buffers[place] == params->outputBitstream) {
            params->bitstreamBufferPtr = buffers[place].output;
            params->bitstreamSizeInBytes = buffers[place].length;
            params->outputTimeStamp = buffers[place].time;
            params->pictureType = buffers[place].key ? NV_ENC_PIC_TYPE_IDR : NV_ENC_PIC_TYPE_P;
            params->frameAvgQP = 20;
        }
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS header(void *encoder, NV_ENC_SEQUENCE_PARAM_PAYLOAD *params) {
    (void)encoder;
    *params->outSPSPPSPayloadSize = sets(params->spsppsBuffer);
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS destroy(void *encoder) { (void)encoder; return NV_ENC_SUCCESS; }

static const char *last_error(void *encoder) { (void)encoder; return "the stub refuses"; }

NVENCSTATUS NvEncodeAPIGetMaxSupportedVersion(uint32_t *version) {
    *version = mode_is("version") ? 1 << 4 : 15 << 4;
    return NV_ENC_SUCCESS;
}

NVENCSTATUS NvEncodeAPICreateInstance(NV_ENCODE_API_FUNCTION_LIST *list) {
    void **functions = (void **)&list->nvEncOpenEncodeSession;
    while (functions <= (void **)&list->nvEncSetIOCudaStreams) *functions++ = nothing;
    list->nvEncOpenEncodeSessionEx = open_session;
    list->nvEncGetEncodeGUIDCount = guid_count;
    list->nvEncGetEncodeGUIDs = guids;
    list->nvEncGetEncodeCaps = caps;
    list->nvEncGetEncodePresetConfig = preset;
    list->nvEncGetEncodePresetConfigEx = preset_ex;
    list->nvEncInitializeEncoder = initialize;
    list->nvEncReconfigureEncoder = reconfigure;
    list->nvEncCreateInputBuffer = create_input;
    list->nvEncCreateBitstreamBuffer = create_output;
    list->nvEncLockInputBuffer = lock_input;
    list->nvEncEncodePicture = encode;
    list->nvEncLockBitstream = lock_output;
    list->nvEncGetSequenceParams = header;
    list->nvEncDestroyEncoder = destroy;
    list->nvEncGetLastErrorString = last_error;
    return NV_ENC_SUCCESS;
}

#endif
