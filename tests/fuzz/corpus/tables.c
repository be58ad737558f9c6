/* The source of the ELF files in corpus/stripped: the tables that a scan of a stripped CPython 3.15 looks for. GROUP is
   the size of a StencilGroup, EXITS the offset of _PyExecutorObject.exits, CODE that of PyCodeObject.co_code_adaptive
   (src/layout/tables/3.15.layout). */
typedef unsigned char uint8_t;
static void emit(void) {}
struct group { void (*emit)(void); unsigned long code_size, data_size; uint8_t masks[GROUP - 24]; };
__attribute__((used)) static const struct group stencil_groups[] = {
  [300] = {emit, 16, 8}, {emit, 4, 0}, {emit, 40, 16}, {emit, 12, 0}, {emit, 7, 8}};
__attribute__((used)) static const char *const uop_names[] = {
  [300] = "_EXIT_TRACE", "_SET_IP", "_DEOPT", "_START_EXECUTOR", "_FATAL_ERROR"};
__attribute__((used)) static const char *const op_names[] = {
  "CACHE", "BINARY_SLICE", [44] = "BINARY_OP", [52] = "CALL", [53] = "CALL_FUNCTION_EX", [55] = "CALL_KW", [56] = "COMPARE_OP",
  [57] = "CONTAINS_OP", [69] = "FOR_ITER", [70] = "GET_ITER", [76] = "JUMP_BACKWARD", [80] = "LOAD_ATTR", [92] = "LOAD_GLOBAL",
  [96] = "LOAD_SUPER_ATTR", [100] = "POP_JUMP_IF_FALSE", "POP_JUMP_IF_NONE", "POP_JUMP_IF_NOT_NONE",
  "POP_JUMP_IF_TRUE", [106] = "SEND", [110] = "STORE_ATTR", [114] = "STORE_SUBSCR", [116] = "TO_BOOL",
  [119] = "UNPACK_SEQUENCE", [128] = "RESUME", [129] = "BINARY_OP_ADD_INT"};
__attribute__((used)) static const uint8_t caches[256] = {
  [44] = 5, [52] = 3, [53] = 1, [55] = 3, [56] = 1, [57] = 1, [69] = 1, 1, [76] = 1, [80] = 9, [92] = 4, [96] = 1, [100] = 1,
  1, 1, 1, [106] = 1, [110] = 4, [114] = 1, [116] = 3, [119] = 1, [128] = 1};
#define S(n) n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7
__attribute__((used)) static const uint8_t deopt[256] = {
  S(0), S(8), S(16), S(24), S(32), S(40), S(48), S(56), S(64), S(72), S(80), S(88), S(96), S(104), S(112), S(120),
  128, 44, S(130), S(138), S(146), S(154), S(162), S(170), S(178), S(186), S(194), S(202), S(210), S(218), S(226),
  S(234), S(242), 250, 251, 252, 253, 254, 255};
struct type { long refcnt; struct type *type; long size; const char *name; long sizes[2]; };
__attribute__((used)) static struct type executor_type = {1, &executor_type, 0, "uop_executor", {EXITS, 16}};
__attribute__((used)) static struct type code_type = {1, &executor_type, 0, "code", {CODE, 2}};
struct { char cookie[8]; unsigned long version; } _PyRuntime = {"xdebugpy", 0x030f02f0};
void _start(void) { emit(); }
