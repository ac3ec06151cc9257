/* A file with CLAP plugins for tests, which declares what it needs of CLAP's interface itself. All of
 * them multiply the audio by a factor (parameter 7) and delay it by 480 samples, which they report. */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DELAY 480
#define CHANNELS 2

typedef struct { uint32_t major, minor, revision; } version_t;
typedef struct {
  version_t version;
  const char *id, *name, *vendor, *url, *manual, *support, *its_version, *about;
  const char *const *features;
} descriptor_t;
typedef struct { uint32_t size, time; uint16_t space, type; uint32_t flags; } header_t;
typedef struct {
  header_t header;
  uint32_t id;
  void *cookie;
  int32_t note;
  int16_t port, channel, key;
  double value;
} value_t;
typedef struct events {
  void *ctx;
  uint32_t (*size)(const struct events *);
  const header_t *(*get)(const struct events *, uint32_t);
} events_t;
typedef struct { float **data32; double **data64; uint32_t channels, latency; uint64_t constant; } buffer_t;
typedef struct {
  int64_t time;
  uint32_t frames;
  const void *transport;
  const buffer_t *inputs;
  buffer_t *outputs;
  uint32_t input_count, output_count;
  const events_t *in;
  const void *out;
} process_t;
typedef struct plugin {
  const descriptor_t *descriptor;
  void *data;
  bool (*init)(const struct plugin *);
  void (*destroy)(const struct plugin *);
  bool (*activate)(const struct plugin *, double, uint32_t, uint32_t);
  void (*deactivate)(const struct plugin *);
  bool (*start)(const struct plugin *);
  void (*stop)(const struct plugin *);
  void (*reset)(const struct plugin *);
  int32_t (*process)(const struct plugin *, const process_t *);
  const void *(*extension)(const struct plugin *, const char *);
  void (*on_main)(const struct plugin *);
} plugin_t;
typedef struct host {
  version_t version;
  void *data;
  const char *name, *vendor, *url, *its_version;
  const void *(*extension)(const struct host *, const char *);
  void (*restart)(const struct host *);
  void (*process)(const struct host *);
  void (*callback)(const struct host *);
} host_t;
typedef struct { void (*mark_dirty)(const host_t *); } host_state_t;

static const host_t *the_host;
static const char *mode = "";
static double factor = 1.0;
static float line[CHANNELS][DELAY];
static unsigned place;
static unsigned long blocks;

static void take(const events_t *in) {
  for (uint32_t i = 0; in && i < in->size(in); i++) {
    const value_t *event = (const value_t *)in->get(in, i);
    if (event->header.type == 5 && event->id == 7) factor = event->value;
  }
}

static bool init(const plugin_t *p) { return strcmp(mode, "broken") != 0; }
static void nothing(const plugin_t *p) {}
static bool activate(const plugin_t *p, double rate, uint32_t least, uint32_t most) { return true; }
static bool start(const plugin_t *p) { return true; }

static int32_t process(const plugin_t *p, const process_t *it) {
  take(it->in);
  blocks++;
  if (!strcmp(mode, "crash") && blocks > 100) raise(SIGSEGV);
  if (!strcmp(mode, "hang") && blocks > 100) for (;;) pause();
  /* The socket of the process. */
  if (!strcmp(mode, "garbage") && blocks > 100) (void)!write(3, "\x09\x00\x00\x00nonsense!", 13);
  for (uint32_t frame = 0; frame < it->frames; frame++) {
    for (uint32_t c = 0; c < CHANNELS; c++) {
      float in = it->inputs[0].data32[c][frame];
      it->outputs[0].data32[c][frame] = (float)(line[c][place] * factor);
      line[c][place] = in;
    }
    place = (place + 1) % DELAY;
  }
  return 1;
}

/* Ports. */
typedef struct {
  uint32_t id;
  char name[256];
  uint32_t flags, channels;
  const char *type;
  uint32_t pair;
} port_t;
static uint32_t port_count(const plugin_t *p, bool input) { return !strcmp(mode, "mute") ? 0 : 1; }
static bool port_get(const plugin_t *p, uint32_t index, bool input, port_t *to) {
  memset(to, 0, sizeof *to);
  to->flags = 1;
  to->channels = CHANNELS;
  to->type = "stereo";
  to->pair = UINT32_MAX;
  return index == 0;
}
static const struct {
  uint32_t (*count)(const plugin_t *, bool);
  bool (*get)(const plugin_t *, uint32_t, bool, port_t *);
} ports = {port_count, port_get};

/* Parameters. */
typedef struct {
  uint32_t id, flags;
  void *cookie;
  char name[256], module[1024];
  double least, most, rest;
} param_t;
static uint32_t param_count(const plugin_t *p) { return 1; }
static bool param_info(const plugin_t *p, uint32_t index, param_t *to) {
  memset(to, 0, sizeof *to);
  to->id = 7;
  strcpy(to->name, "Factor");
  to->most = 4.0;
  to->rest = 1.0;
  return index == 0;
}
static bool param_value(const plugin_t *p, uint32_t id, double *to) {
  *to = factor;
  return id == 7;
}
static bool value_text(const plugin_t *p, uint32_t id, double value, char *to, uint32_t size) {
  return snprintf(to, size, "%g", value) > 0;
}
static bool text_value(const plugin_t *p, uint32_t id, const char *text, double *to) {
  *to = atof(text);
  return true;
}
static void flush(const plugin_t *p, const events_t *in, const void *out) { take(in); }
static const struct {
  uint32_t (*count)(const plugin_t *);
  bool (*info)(const plugin_t *, uint32_t, param_t *);
  bool (*value)(const plugin_t *, uint32_t, double *);
  bool (*to_text)(const plugin_t *, uint32_t, double, char *, uint32_t);
  bool (*from_text)(const plugin_t *, uint32_t, const char *, double *);
  void (*flush)(const plugin_t *, const events_t *, const void *);
} params = {param_count, param_info, param_value, value_text, text_value, flush};

/* State: a mark and the factor, read and written in small parts. */
typedef struct stream {
  void *ctx;
  int64_t (*move)(const struct stream *, void *, uint64_t);
} stream_t;
static bool move(const stream_t *stream, char *bytes, int size) {
  for (int at = 0; at < size;) {
    int64_t moved = stream->move(stream, bytes + at, size - at > 3 ? 3 : size - at);
    if (moved <= 0) return false;
    at += (int)moved;
  }
  return true;
}
static bool save(const plugin_t *p, const stream_t *to) {
  char bytes[4 + sizeof factor] = "STUB";
  memcpy(bytes + 4, &factor, sizeof factor);
  return move(to, bytes, sizeof bytes);
}
static bool load(const plugin_t *p, const stream_t *from) {
  char bytes[4 + sizeof factor];
  if (!move(from, bytes, sizeof bytes) || memcmp(bytes, "STUB", 4)) return false;
  memcpy(&factor, bytes + 4, sizeof factor);
  return true;
}
static const struct {
  bool (*save)(const plugin_t *, const stream_t *);
  bool (*load)(const plugin_t *, const stream_t *);
} state = {save, load};

static uint32_t latency_get(const plugin_t *p) { return DELAY; }
static const struct { uint32_t (*get)(const plugin_t *); } latency = {latency_get};

/* A window without contents, in which the factor becomes 0.5 when it opens. */
static bool gui_supported(const plugin_t *p, const char *api, bool floating) {
  return floating == (strcmp(mode, "embedded") != 0) && !strcmp(api, "x11");
}
static bool gui_preferred(const plugin_t *p, const char **api, bool *floating) { return false; }
static bool gui_create(const plugin_t *p, const char *api, bool floating) { return true; }
static bool gui_scale(const plugin_t *p, double scale) { return false; }
static bool gui_get_size(const plugin_t *p, uint32_t *width, uint32_t *height) {
  *width = 300;
  *height = 200;
  return true;
}
static bool gui_can_resize(const plugin_t *p) { return false; }
static bool gui_hints(const plugin_t *p, void *hints) { return false; }
static bool gui_adjust(const plugin_t *p, uint32_t *width, uint32_t *height) { return false; }
static bool gui_set_size(const plugin_t *p, uint32_t width, uint32_t height) { return false; }
static bool gui_window(const plugin_t *p, const void *window) { return true; }
static void gui_title(const plugin_t *p, const char *title) {}
static bool gui_show(const plugin_t *p) {
  factor = 0.5;
  const host_state_t *its = the_host->extension(the_host, "clap.state");
  its->mark_dirty(the_host);
  return true;
}
static bool gui_hide(const plugin_t *p) { return true; }
static const struct {
  bool (*supported)(const plugin_t *, const char *, bool);
  bool (*preferred)(const plugin_t *, const char **, bool *);
  bool (*create)(const plugin_t *, const char *, bool);
  void (*destroy)(const plugin_t *);
  bool (*scale)(const plugin_t *, double);
  bool (*get_size)(const plugin_t *, uint32_t *, uint32_t *);
  bool (*can_resize)(const plugin_t *);
  bool (*hints)(const plugin_t *, void *);
  bool (*adjust)(const plugin_t *, uint32_t *, uint32_t *);
  bool (*set_size)(const plugin_t *, uint32_t, uint32_t);
  bool (*parent)(const plugin_t *, const void *);
  bool (*transient)(const plugin_t *, const void *);
  void (*title)(const plugin_t *, const char *);
  bool (*show)(const plugin_t *);
  bool (*hide)(const plugin_t *);
} gui = {gui_supported, gui_preferred, gui_create, nothing,    gui_scale,  gui_get_size, gui_can_resize, gui_hints,
         gui_adjust,    gui_set_size,  gui_window, gui_window, gui_title, gui_show,     gui_hide};

static const void *extension(const plugin_t *p, const char *name) {
  if (!strcmp(name, "clap.audio-ports")) return &ports;
  if (!strcmp(name, "clap.params")) return &params;
  if (!strcmp(name, "clap.state")) return &state;
  if (!strcmp(name, "clap.latency")) return &latency;
  if (!strcmp(name, "clap.gui")) return &gui;
  return NULL;
}

static const char *const features[] = {"audio-effect", "stereo", NULL};
#define DESCRIPTOR(word) \
  {{1, 2, 2}, "org.example." word, "Stub " word, "Example", "", "", "", "1.5", "", features}
static const descriptor_t descriptors[] = {
    DESCRIPTOR("factor"), DESCRIPTOR("crash"),  DESCRIPTOR("hang"),
    DESCRIPTOR("garbage"), DESCRIPTOR("broken"), DESCRIPTOR("mute"), DESCRIPTOR("embedded"),
};
#define COUNT (sizeof descriptors / sizeof descriptors[0])
static plugin_t plugin = {NULL,  NULL,    init,    nothing, activate,  nothing,
                          start, nothing, nothing, process, extension, nothing};

typedef struct factory {
  uint32_t (*count)(const struct factory *);
  const descriptor_t *(*descriptor)(const struct factory *, uint32_t);
  const plugin_t *(*create)(const struct factory *, const host_t *, const char *);
} factory_t;
static uint32_t count(const factory_t *f) { return COUNT; }
static const descriptor_t *descriptor(const factory_t *f, uint32_t index) {
  return index < COUNT ? &descriptors[index] : NULL;
}
static const plugin_t *create(const factory_t *f, const host_t *host, const char *id) {
  for (uint32_t i = 0; i < COUNT; i++) {
    if (!strcmp(descriptors[i].id, id)) {
      the_host = host;
      mode = descriptors[i].id + strlen("org.example.");
      plugin.descriptor = &descriptors[i];
      return &plugin;
    }
  }
  return NULL;
}
static const factory_t factory = {count, descriptor, create};

static bool entry_init(const char *path) { return true; }
static void entry_end(void) {}
static const void *entry_factory(const char *id) {
  return strcmp(id, "clap.plugin-factory") ? NULL : &factory;
}
__attribute__((visibility("default"))) const struct {
  version_t version;
  bool (*init)(const char *);
  void (*end)(void);
  const void *(*factory)(const char *);
} clap_entry = {{1, 2, 2}, entry_init, entry_end, entry_factory};
