/* The source of the ELF files in corpus/image; `cc -g -shared -nostdlib` with the kinds of DWARF that their names tell. */
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long uint64_t;
typedef struct _object { uint64_t ob_refcnt; struct _typeobject *ob_type; } PyObject;
typedef struct { PyObject ob_base; long ob_size; } PyVarObject;
typedef struct _typeobject { PyVarObject ob_base; const char *tp_name; } PyTypeObject;
typedef struct { PyObject ob_base; long length; long hash;
  struct { unsigned interned : 16; unsigned short kind : 3, compact : 1, ascii : 1; } state; } PyASCIIObject;
typedef struct { uint16_t opcode : 15; uint16_t format : 1; uint16_t oparg;
  union { uint32_t target; struct { union { uint16_t exit_index; uint16_t jump_target; }; uint16_t error_target; }; };
  uint64_t operand0, operand1; } _PyUOpInstruction;
struct links { struct executor *next, *previous; };
typedef struct { uint8_t opcode, oparg; uint8_t valid : 1, linked : 1; int index; uint32_t bloom[8]; struct links links;
  void *code; } _PyVMData;
typedef struct _exit { uint32_t target; int temperature; struct executor *executor; } _PyExitData;
typedef struct executor { PyVarObject ob_base; const _PyUOpInstruction *trace; _PyVMData vm_data; uint32_t exit_count,
  code_size; unsigned long jit_size; void *jit_code; _PyExitData exits[]; } _PyExecutorObject;
typedef struct { void (*emit)(uint8_t *, uint8_t *); unsigned long code_size, data_size; uint8_t mask[2][4]; } StencilGroup;
PyTypeObject _PyUOpExecutor_Type = {.tp_name = "uop_executor"};
struct { char cookie[8]; uint64_t version; } _PyRuntime = {"xdebugpy", 0x030f02f0};
static const StencilGroup stencil_groups[3] = {{0, 16, 8}};
const StencilGroup *_PyJIT_groups = stencil_groups;
_PyExecutorObject *_PyJIT_executor;
PyASCIIObject *_PyJIT_text;
