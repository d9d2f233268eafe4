/* The compiled form of the inner loop of `recorder.py`: what changed in a frame since its last event.

`recorder.py` and `describe.py` are the reference: whatever is not done here, and every frame that is
not a plain one, is left to them. The names of a plain frame are its fast locals alone (no cells, no
class body); they are read where the interpreter keeps them, so that no dictionary is made of them. */

#define PY_SSIZE_T_CLEAN
#define Py_BUILD_CORE_MODULE 1
#include <Python.h>
#include <structmember.h>
#include <stddef.h>
#include <string.h>
#include <internal/pycore_code.h>
#include <internal/pycore_frame.h>

#ifdef Py_GIL_DISABLED
#error "frames are read without locks"
#endif

/* --- bounds: the counters that `Recorder` shares with its followers ------------------------------ */

typedef struct {
    PyObject_HEAD
    Py_ssize_t room, next_check;
} Bounds;

static PyMemberDef bounds_members[] = {
    {"room", T_PYSSIZET, offsetof(Bounds, room), 0, NULL},
    {"next_check", T_PYSSIZET, offsetof(Bounds, next_check), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyTypeObject BoundsType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "semcoder_lib.tracing.Bounds",
    .tp_basicsize = sizeof(Bounds),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_new = PyType_GenericNew,
    .tp_members = bounds_members,
};

/* --- one variable, one frame ---------------------------------------------------------------------- */

enum { ABSENT, FIXED, WATCHED, LOOSE }; /* LOOSE: only a new description can tell; nothing is held */

typedef struct {
    PyObject *value; /* FIXED and WATCHED */
    PyObject *flat;  /* of a list or dict of scalars: its elements or keys */
    PyObject *held;  /* of a dict of scalars: its mapped values */
    PyObject *watch; /* the describer's; NULL if flat (and held) say it all */
    PyObject *text;  /* NULL for short scalars, which are compared */
    int mode;
} Slot;

typedef struct {
    PyObject_VAR_HEAD
    vectorcallfunc vectorcall;
    PyObject *recorder, *code, *index, *names, *steps, *step, *describe, *again, *same;
    PyObject *python; /* the reference, once the frame turned out not to be plain */
    long long head;
    Py_ssize_t start, nodes, size, brief;
    int begun;
    Slot slots[1];
} Follower;

static void slot_clear(Slot *s)
{
    s->mode = ABSENT;
    Py_CLEAR(s->value);
    Py_CLEAR(s->flat);
    Py_CLEAR(s->held);
    Py_CLEAR(s->watch);
    Py_CLEAR(s->text);
}

/* Steals flat, held and watch; holds the value unless the mode is LOOSE. */
static void slot_set(Slot *s, int mode, PyObject *value, PyObject *flat, PyObject *held, PyObject *watch)
{
    s->mode = mode;
    Py_XSETREF(s->value, mode == LOOSE ? NULL : Py_NewRef(value));
    Py_XSETREF(s->flat, flat);
    Py_XSETREF(s->held, held);
    Py_XSETREF(s->watch, watch);
}

/* --- text of plain values ------------------------------------------------------------------------- */

static int in_range(PyObject *v)
{
    int overflow;
    long long x = PyLong_AsLongLongAndOverflow(v, &overflow);
    return !overflow && x != LLONG_MIN;
}

/* As `Describer._plain_few`. */
static int plain(Follower *self, PyObject *v)
{
    PyTypeObject *kind = Py_TYPE(v);
    if (kind == &PyLong_Type)
        return in_range(v);
    if (kind == &PyUnicode_Type)
        return PyUnicode_GET_LENGTH(v) < self->brief;
    return kind == &PyFloat_Type || kind == &PyBool_Type || v == Py_None;
}

static char *buffer;
static Py_ssize_t room_in_buffer;

static char *number(char *at, long long x)
{
    char digits[24];
    int n = 0;
    unsigned long long rest = x < 0 ? 0ULL - (unsigned long long)x : (unsigned long long)x;
    do {
        digits[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (x < 0)
        *at++ = '-';
    while (n)
        *at++ = digits[--n];
    return at;
}

/* Writes a plain value at `at`; NULL if it is none of the easy ones. Takes at most its length + 26. */
static char *written(char *at, PyObject *v)
{
    PyTypeObject *kind = Py_TYPE(v);
    if (kind == &PyLong_Type) {
        int overflow;
        return number(at, PyLong_AsLongLongAndOverflow(v, &overflow));
    }
    if (kind == &PyUnicode_Type) {
        if (!PyUnicode_IS_COMPACT_ASCII(v))
            return NULL;
        const char *from = (const char *)PyUnicode_1BYTE_DATA(v);
        const char *end = from + PyUnicode_GET_LENGTH(v);
        *at++ = '\'';
        for (; from < end; from++) {
            if (*from < 32 || *from > 126 || *from == '\'' || *from == '\\')
                return NULL;
            *at++ = *from;
        }
        *at++ = '\'';
        return at;
    }
    const char *word = v == Py_None ? "None" : v == Py_True ? "True" : v == Py_False ? "False" : NULL;
    if (word == NULL)
        return NULL;
    size_t n = strlen(word);
    memcpy(at, word, n);
    return at + n;
}

static int fits(char *at, PyObject *next)
{
    Py_ssize_t more = 64 + (Py_TYPE(next) == &PyUnicode_Type ? PyUnicode_GET_LENGTH(next) : 0);
    return at - buffer + more < room_in_buffer;
}

/* `repr` of a container of plain values: `keys`, and `held` for a dict. */
static PyObject *container_text(Follower *self, PyObject *v, PyObject **keys, PyObject **held, Py_ssize_t n)
{
    PyTypeObject *kind = Py_TYPE(v);
    if (room_in_buffer < 2 * self->size + 1024) {
        char *larger = PyMem_RawRealloc(buffer, 2 * self->size + 1024);
        if (larger == NULL)
            return PyErr_NoMemory();
        buffer = larger;
        room_in_buffer = 2 * self->size + 1024;
    }
    char *at = buffer;
    *at++ = kind == &PyList_Type ? '[' : kind == &PyTuple_Type ? '(' : '{';
    for (Py_ssize_t i = 0; i < n; i++) {
        if (i) {
            *at++ = ',';
            *at++ = ' ';
        }
        if (!fits(at, keys[i]) || (at = written(at, keys[i])) == NULL)
            return PyObject_Repr(v);
        if (held) {
            *at++ = ':';
            *at++ = ' ';
            if (!fits(at, held[i]) || (at = written(at, held[i])) == NULL)
                return PyObject_Repr(v);
        }
    }
    if (kind == &PyTuple_Type && n == 1)
        *at++ = ',';
    *at++ = kind == &PyList_Type ? ']' : kind == &PyTuple_Type ? ')' : '}';
    PyObject *text = PyUnicode_New(at - buffer, 127);
    if (text)
        memcpy(PyUnicode_1BYTE_DATA(text), buffer, at - buffer);
    return text;
}

static int all_plain(Follower *self, PyObject **items, Py_ssize_t n)
{
    for (Py_ssize_t i = 0; i < n; i++)
        if (!plain(self, items[i]))
            return 0;
    return 1;
}

/* The text of a value that `describe` would describe likewise, and its slot; NULL without an error
if the describer must do it. */
static PyObject *easy_text(Follower *self, Slot *s, PyObject *v)
{
    PyTypeObject *kind = Py_TYPE(v);
    PyObject *text = NULL, *flat = NULL, *held = NULL;
    if (kind == &PyFloat_Type || (kind == &PyLong_Type && in_range(v))) {
        text = PyObject_Repr(v);
    }
    else if (kind == &PyList_Type) {
        Py_ssize_t n = PyList_GET_SIZE(v);
        if (n > self->nodes || !all_plain(self, ((PyListObject *)v)->ob_item, n))
            return NULL;
        text = container_text(self, v, ((PyListObject *)v)->ob_item, NULL, n);
        if (text && PyUnicode_GET_LENGTH(text) <= self->size)
            flat = PyList_GetSlice(v, 0, n);
    }
    else if (kind == &PyTuple_Type) {
        Py_ssize_t n = PyTuple_GET_SIZE(v);
        if (n > self->nodes || !all_plain(self, ((PyTupleObject *)v)->ob_item, n))
            return NULL;
        text = container_text(self, v, ((PyTupleObject *)v)->ob_item, NULL, n);
    }
    else if (kind == &PyDict_Type) {
        Py_ssize_t n = PyDict_GET_SIZE(v), at = 0, i = 0;
        PyObject *key, *value;
        if (2 * n > self->nodes)
            return NULL;
        while (PyDict_Next(v, &at, &key, &value))
            if (!plain(self, key) || !plain(self, value))
                return NULL;
        flat = PyList_New(n);
        held = PyList_New(n);
        if (flat && held) {
            for (at = 0; PyDict_Next(v, &at, &key, &value); i++) {
                PyList_SET_ITEM(flat, i, Py_NewRef(key));
                PyList_SET_ITEM(held, i, Py_NewRef(value));
            }
            text = container_text(
                self, v, ((PyListObject *)flat)->ob_item, ((PyListObject *)held)->ob_item, n);
        }
    }
    else {
        return NULL;
    }
    if (PyErr_Occurred() || text == NULL || PyUnicode_GET_LENGTH(text) > self->size) {
        Py_CLEAR(text);
        Py_XDECREF(flat);
        Py_XDECREF(held);
        return NULL;
    }
    slot_set(s, flat ? WATCHED : FIXED, v, flat, held, NULL);
    return text;
}

/* --- has a container changed? --------------------------------------------------------------------- */

static int same_dict(PyObject *v, PyObject *keys, PyObject *held)
{
    PyObject *key, *value;
    Py_ssize_t at = 0, i = 0;
    while (PyDict_Next(v, &at, &key, &value)) {
        if (i < PyList_GET_SIZE(keys) && PyList_GET_ITEM(keys, i) != key)
            return 0;
        if (held && i < PyList_GET_SIZE(held) && PyList_GET_ITEM(held, i) != value)
            return 0;
        i++;
    }
    return 1;
}

/* As `describe.unchanged`, which is asked about all but lists and dicts. */
static int unchanged(Follower *self, PyObject *watch)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(watch); i++) {
        PyObject *entry = PyList_GET_ITEM(watch, i);
        PyObject *v = PyTuple_GET_ITEM(entry, 0), *copy = PyTuple_GET_ITEM(entry, 2);
        Py_ssize_t size = PyLong_AsSsize_t(PyTuple_GET_ITEM(entry, 1));
        PyObject *held = PyTuple_GET_ITEM(entry, 3);
        if (Py_IS_TYPE(v, &PyList_Type)) {
            if (PyList_GET_SIZE(v) != size)
                return 0;
            size_t bytes = Py_MIN(size, PyList_GET_SIZE(copy)) * sizeof(PyObject *);
            if (bytes && memcmp(((PyListObject *)v)->ob_item, ((PyListObject *)copy)->ob_item, bytes))
                return 0;
        }
        else if (Py_IS_TYPE(v, &PyDict_Type)) {
            if (PyDict_GET_SIZE(v) != size || !same_dict(v, copy, held == Py_None ? NULL : held))
                return 0;
        }
        else {
            PyObject *found = PyObject_CallOneArg(self->same, watch);
            int same = found ? PyObject_IsTrue(found) : -1;
            Py_XDECREF(found);
            return same;
        }
    }
    return 1;
}

static int slot_unchanged(Follower *self, Slot *s)
{
    PyObject *v = s->value;
    if (s->watch)
        return unchanged(self, s->watch);
    if (s->held)
        return PyDict_GET_SIZE(v) == PyList_GET_SIZE(s->flat) && same_dict(v, s->flat, s->held);
    Py_ssize_t n = PyList_GET_SIZE(v);
    return n == PyList_GET_SIZE(s->flat) &&
           (n == 0 || !memcmp(((PyListObject *)v)->ob_item, ((PyListObject *)s->flat)->ob_item,
                              n * sizeof(PyObject *)));
}

/* The describer's form of what a slot holds; a new reference. */
static PyObject *watch_of(Slot *s)
{
    if (s->watch)
        return Py_NewRef(s->watch);
    return Py_BuildValue("[(OnOO)]", s->value, PyList_GET_SIZE(s->flat), s->flat,
                         s->held ? s->held : Py_None);
}

/* --- changes -------------------------------------------------------------------------------------- */

static int put(Follower *self, Py_ssize_t i, PyObject *text)
{
    if (PyList_Append(self->step, PyTuple_GET_ITEM(self->names, i)) < 0)
        return -1;
    return PyList_Append(self->step, text);
}

static int spent(Follower *self, Py_ssize_t i, PyObject *text)
{
    Bounds *bounds = (Bounds *)self->recorder;
    bounds->room -= PyList_Check(text) ? PyList_GET_SIZE(text) : PyUnicode_GET_LENGTH(text);
    if (bounds->room < 0)
        bounds->next_check = 0;
    return put(self, i, text);
}

/* The describer's word: as `Recorder._describe`. A new reference: the text, or a list with it. */
static PyObject *described(Follower *self, Slot *s, PyObject *v, PyObject *watch)
{
    PyObject *former = s->text ? s->text : Py_None;
    PyObject *found = watch ? PyObject_CallFunctionObjArgs(self->again, v, watch, former, NULL)
                            : PyObject_CallOneArg(self->describe, v);
    if (found == NULL)
        return NULL;
    PyObject *text, *fresh;
    int exact;
    if (!PyTuple_Check(found) || !PyArg_ParseTuple(found, "UpO", &text, &exact, &fresh) ||
        (fresh != Py_None && !PyList_Check(fresh))) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "no description");
        Py_DECREF(found);
        return NULL;
    }
    Py_INCREF(text);
    if (!exact) {
        ((Bounds *)self->recorder)->room -= PyUnicode_GET_LENGTH(text);
        PyObject *list = PyList_New(1);
        if (list == NULL) {
            Py_DECREF(text);
            Py_DECREF(found);
            return NULL;
        }
        PyList_SET_ITEM(list, 0, text);
        text = list;
    }
    if (fresh == Py_None)
        slot_set(s, LOOSE, v, NULL, NULL, NULL);
    else if (PyList_GET_SIZE(fresh) == 0)
        slot_set(s, FIXED, v, NULL, NULL, NULL);
    else
        slot_set(s, WATCHED, v, NULL, NULL, Py_NewRef(fresh));
    Py_DECREF(found);
    return text;
}

static int is_short(Follower *self, PyObject *v)
{
    PyTypeObject *kind = Py_TYPE(v);
    if (kind == &PyLong_Type) {
        int overflow;
        long long x = PyLong_AsLongLongAndOverflow(v, &overflow);
        return !overflow && -999999999 < x && x < 999999999;
    }
    if (kind == &PyUnicode_Type)
        return PyUnicode_GET_LENGTH(v) < self->brief;
    return kind == &PyBool_Type || v == Py_None;
}

/* A variable that is not the very value it was. */
static int changed(Follower *self, Py_ssize_t i, PyObject *v)
{
    Slot *s = &self->slots[i];
    PyObject *text;
    if (is_short(self, v)) {
        PyObject *old = s->mode == FIXED ? s->value : NULL;
        int equal = old && Py_IS_TYPE(old, Py_TYPE(v)) ? PyObject_RichCompareBool(old, v, Py_EQ) : 0;
        if (equal < 0)
            return -1;
        slot_set(s, FIXED, v, NULL, NULL, NULL);
        if (equal)
            return 0;
        Py_CLEAR(s->text);
        text = PyObject_Repr(v);
    }
    else {
        PyObject *watch = NULL;
        if (s->mode == WATCHED && s->value == v) {
            int same = slot_unchanged(self, s);
            if (same)
                return same < 0 ? -1 : 0;
            watch = watch_of(s);
            if (watch == NULL)
                return -1;
        }
        text = easy_text(self, s, v);
        if (text == NULL && !PyErr_Occurred())
            text = described(self, s, v, watch);
        Py_XDECREF(watch);
        if (text && s->text) {
            int equal = PyObject_RichCompareBool(text, s->text, Py_EQ);
            if (equal) {
                Py_DECREF(text);
                return equal < 0 ? -1 : 0;
            }
        }
        if (text)
            Py_XSETREF(s->text, Py_NewRef(text));
    }
    if (text == NULL)
        return -1;
    int done = spent(self, i, text);
    Py_DECREF(text);
    return done;
}

/* Names that are no fast locals, or a dictionary of the locals that the program may hold. */
static int odd(Follower *self, PyFrameObject *frame, PyObject **fast)
{
#if PY_VERSION_HEX >= 0x030d0000
    return frame->f_extra_locals != NULL;
#elif PY_VERSION_HEX >= 0x030c0000
    return frame->f_frame->f_locals != NULL;
#else
    PyObject *names = frame->f_frame->f_locals; /* up to date: the interpreter's hook sees to that */
    if (names == NULL)
        return 0;
    Py_ssize_t bound = 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++)
        bound += fast[i] != NULL;
    return !PyDict_Check(names) || PyDict_GET_SIZE(names) != bound;
#endif
}

/* Hands over to the reference. */
static int hand_over(Follower *self)
{
    PyObject *fixed = PyDict_New(), *watched = PyDict_New(), *texts = PyDict_New();
    int bad = !fixed || !watched || !texts;
    for (Py_ssize_t i = 0; i < Py_SIZE(self) && !bad; i++) {
        Slot *s = &self->slots[i];
        PyObject *name = PyTuple_GET_ITEM(self->names, i);
        if (s->mode == ABSENT)
            continue;
        bad = PyDict_SetItem(texts, name, s->text ? s->text : Py_None) < 0;
        if (s->mode == FIXED && !bad)
            bad = PyDict_SetItem(fixed, name, s->value) < 0;
        if (s->mode == WATCHED && !bad) {
            PyObject *entry = Py_BuildValue("(OON)", s->value, Py_None, watch_of(s));
            bad = entry == NULL || PyDict_SetItem(watched, name, entry) < 0;
            Py_XDECREF(entry);
        }
        slot_clear(s);
    }
    if (!bad)
        self->python = PyObject_CallMethod(self->recorder, "_follow", "OOOOOOni", self->code, self->index,
                                           self->step, fixed, watched, texts, self->start, self->begun);
    Py_XDECREF(fixed);
    Py_XDECREF(watched);
    Py_XDECREF(texts);
    return self->python == NULL ? -1 : 0;
}

static int next_step(Follower *self, long long line)
{
    PyObject *step = PyList_New(1);
    PyObject *head = PyLong_FromLongLong(self->head + line * 8);
    if (step == NULL || head == NULL) {
        Py_XDECREF(step);
        Py_XDECREF(head);
        return -1;
    }
    PyList_SET_ITEM(step, 0, head);
    Py_SETREF(self->step, step);
    self->start = 1;
    if (PyList_GET_SIZE(self->steps) >= ((Bounds *)self->recorder)->next_check) {
        PyObject *done = PyObject_CallMethod(self->recorder, "_look", NULL);
        if (done == NULL)
            return -1;
        Py_DECREF(done);
    }
    return PyList_Append(self->steps, step);
}

static PyObject *advance(PyObject *callable, PyObject *const *args, size_t count, PyObject *keywords)
{
    Follower *self = (Follower *)callable;
    if (PyVectorcall_NARGS(count) != 2 || keywords || !Py_IS_TYPE(args[0], &PyFrame_Type)) {
        PyErr_SetString(PyExc_TypeError, "advance(frame, line)");
        return NULL;
    }
    PyFrameObject *frame = (PyFrameObject *)args[0];
    PyObject **fast = frame->f_frame->localsplus;
    if (self->python == NULL && odd(self, frame, fast) && hand_over(self) < 0)
        return NULL;
    if (self->python)
        return PyObject_Vectorcall(self->python, args, 2, NULL);
    int vanished = 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        PyObject *v = fast[i];
        Slot *s = &self->slots[i];
        if (v == NULL) {
            vanished |= s->mode != ABSENT;
        }
        else if (s->mode != FIXED || s->value != v) {
            Py_INCREF(v);
            int done = changed(self, i, v);
            Py_DECREF(v);
            if (done < 0)
                return NULL;
        }
    }
    for (Py_ssize_t i = 0; vanished && i < Py_SIZE(self); i++)
        if (fast[i] == NULL && self->slots[i].mode != ABSENT) {
            slot_clear(&self->slots[i]);
            if (put(self, i, Py_None) < 0)
                return NULL;
        }
    self->begun = 1;
    if (args[1] == Py_None) {
        self->start = PyList_GET_SIZE(self->step);
    }
    else {
        long long line = PyLong_AsLongLong(args[1]);
        if ((line == -1 && PyErr_Occurred()) || next_step(self, line) < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

/* --- the type ------------------------------------------------------------------------------------- */

#define OBJECTS(self) \
    {&(self)->recorder, &(self)->code, &(self)->index, &(self)->names, &(self)->steps, &(self)->step, \
     &(self)->describe, &(self)->again, &(self)->same, &(self)->python}

static int follower_traverse(PyObject *op, visitproc visit, void *arg)
{
    Follower *self = (Follower *)op;
    PyObject **objects[] = OBJECTS(self);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(objects); i++)
        Py_VISIT(*objects[i]);
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        Py_VISIT(self->slots[i].value);
        Py_VISIT(self->slots[i].flat);
        Py_VISIT(self->slots[i].held);
        Py_VISIT(self->slots[i].watch);
    }
    return 0;
}

/* The recorder and the describer hold no follower: cycles go through the slots. */
static int follower_clear(PyObject *op)
{
    Follower *self = (Follower *)op;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++)
        slot_clear(&self->slots[i]);
    return 0;
}

static void follower_dealloc(PyObject *op)
{
    Follower *self = (Follower *)op;
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, follower_dealloc)
    follower_clear(op);
    PyObject **objects[] = OBJECTS(self);
    for (size_t i = 0; i < Py_ARRAY_LENGTH(objects); i++)
        Py_CLEAR(*objects[i]);
    PyObject_GC_Del(op);
    Py_TRASHCAN_END
}

static PyTypeObject FollowerType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "semcoder_lib.tracing.Follower",
    .tp_basicsize = offsetof(Follower, slots),
    .tp_itemsize = sizeof(Slot),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(Follower, vectorcall),
    .tp_call = PyVectorcall_Call,
    .tp_traverse = follower_traverse,
    .tp_clear = follower_clear,
    .tp_dealloc = follower_dealloc,
};

/* is_plain(code): whether frames of a code object have fast locals alone. */
static PyObject *is_plain(PyObject *module, PyObject *arg)
{
    if (!PyCode_Check(arg))
        Py_RETURN_FALSE;
    PyCodeObject *code = (PyCodeObject *)arg;
    int plain = (code->co_flags & (CO_OPTIMIZED | CO_NEWLOCALS)) == (CO_OPTIMIZED | CO_NEWLOCALS);
    const char *kinds = PyBytes_AS_STRING(code->co_localspluskinds);
    for (int i = 0; i < code->co_nlocalsplus; i++)
        plain &= kinds[i] == CO_FAST_LOCAL;
    return PyBool_FromLong(plain);
}

/* follow(recorder, code, index, head, step, raw code, steps, (describe, again, same), nodes, size, brief) */
static PyObject *follow(PyObject *module, PyObject *args)
{
    PyObject *recorder, *code, *index, *step, *steps, *describe, *again, *same;
    PyCodeObject *raw;
    long long head;
    Py_ssize_t nodes, size, brief;
    if (!PyArg_ParseTuple(args, "O!OOLO!O!O!(OOO)nnn", &BoundsType, &recorder, &code, &index, &head,
                          &PyList_Type, &step, &PyCode_Type, &raw, &PyList_Type, &steps, &describe,
                          &again, &same, &nodes, &size, &brief))
        return NULL;
    Follower *self = PyObject_GC_NewVar(Follower, &FollowerType, raw->co_nlocalsplus);
    if (self == NULL)
        return NULL;
    self->vectorcall = advance;
    self->recorder = Py_NewRef(recorder);
    self->code = Py_NewRef(code);
    self->index = Py_NewRef(index);
    self->names = Py_NewRef(raw->co_localsplusnames);
    self->steps = Py_NewRef(steps);
    self->step = Py_NewRef(step);
    self->describe = Py_NewRef(describe);
    self->again = Py_NewRef(again);
    self->same = Py_NewRef(same);
    self->python = NULL;
    self->head = head;
    self->start = 1;
    self->nodes = nodes;
    self->size = size;
    self->brief = brief;
    self->begun = 0;
    memset(self->slots, 0, raw->co_nlocalsplus * sizeof(Slot));
    PyObject_GC_Track((PyObject *)self);
    return (PyObject *)self;
}

/* --- the payload ---------------------------------------------------------------------------------- */

/* Text that grows; `failed` if there is something in it that is left to Python's encoder. */
typedef struct {
    char *text;
    Py_ssize_t used, size;
    int failed;
} Text;

static char *space(Text *out, Py_ssize_t more)
{
    if (out->used + more > out->size) {
        Py_ssize_t size = 2 * out->size + more + 1024;
        char *larger = out->failed ? NULL : PyMem_RawRealloc(out->text, size);
        if (larger == NULL) {
            out->failed = 1;
            return NULL;
        }
        out->text = larger;
        out->size = size;
    }
    return out->text + out->used;
}

static void add(Text *out, const char *word)
{
    size_t n = strlen(word);
    char *at = space(out, n);
    if (at) {
        memcpy(at, word, n);
        out->used += n;
    }
}

static void add_string(Text *out, PyObject *v)
{
    if (!PyUnicode_IS_COMPACT_ASCII(v)) {
        out->failed = 1;
        return;
    }
    Py_ssize_t n = PyUnicode_GET_LENGTH(v);
    const unsigned char *from = PyUnicode_1BYTE_DATA(v), *end = from + n;
    char *at = space(out, 2 * n + 2);
    if (at == NULL)
        return;
    *at++ = '"';
    for (; from < end; from++) {
        if (*from < 32) {
            out->failed = 1;
            return;
        }
        if (*from == '"' || *from == '\\')
            *at++ = '\\';
        *at++ = (char)*from;
    }
    *at++ = '"';
    out->used = at - out->text;
}

static void add_value(Text *out, PyObject *v)
{
    if (PyUnicode_CheckExact(v)) {
        add_string(out, v);
    }
    else if (PyLong_CheckExact(v)) {
        int overflow;
        long long x = PyLong_AsLongLongAndOverflow(v, &overflow);
        char *at = space(out, 24);
        if (overflow)
            out->failed = 1;
        else if (at)
            out->used = number(at, x) - out->text;
    }
    else if (v == Py_None) {
        add(out, "null");
    }
    else if (PyList_CheckExact(v) || PyTuple_CheckExact(v)) {
        PyObject **items = PySequence_Fast_ITEMS(v);
        add(out, "[");
        for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(v); i++) {
            if (i)
                add(out, ",");
            add_value(out, items[i]);
        }
        add(out, "]");
    }
    else {
        out->failed = 1;
    }
}

/* payload(frames, steps, cut, flags): what `Recorder._send` emits; None if it must encode itself. */
static PyObject *payload(PyObject *module, PyObject *args)
{
    PyObject *frames, *steps, *cut, *flags, *found = NULL;
    if (!PyArg_ParseTuple(args, "O!O!UO!", &PyList_Type, &frames, &PyList_Type, &steps, &cut,
                          &PyList_Type, &flags))
        return NULL;
    Text out = {NULL, 0, 0, 0};
    add(&out, "{\"frames\":");
    add_value(&out, frames);
    add(&out, ",\"steps\":[");
    int first = 1;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(steps); i++) {
        PyObject *step = PyList_GET_ITEM(steps, i);
        if (!PyList_CheckExact(step))
            out.failed = 1;
        for (Py_ssize_t k = 0; !out.failed && k < PyList_GET_SIZE(step); k++, first = 0) {
            if (!first)
                add(&out, ",");
            add_value(&out, PyList_GET_ITEM(step, k));
        }
    }
    add(&out, "],\"cut\":");
    add_value(&out, cut);
    add(&out, ",\"flags\":");
    add_value(&out, flags);
    add(&out, "}");
    if (out.failed)
        found = Py_NewRef(Py_None);
    else if ((found = PyUnicode_New(out.used, 127)))
        memcpy(PyUnicode_1BYTE_DATA(found), out.text, out.used);
    PyMem_RawFree(out.text);
    return found;
}

/* --- the line event of `by_monitoring` ------------------------------------------------------------ */

/* As its `on_line`; `held` is (stack, halt, what stops the recorder). */
static PyObject *on_line(PyObject *held, PyObject *const *args, Py_ssize_t count)
{
    PyObject *stack = PyTuple_GET_ITEM(held, 0);
    Py_ssize_t depth = PyList_GET_SIZE(stack);
    if (count != 2 || depth == 0)
        Py_RETURN_NONE;
    PyObject *top = PyList_GET_ITEM(stack, depth - 1);
    PyObject *frame = PyList_GET_ITEM(top, 1);
    if (PyList_GET_ITEM(top, 0) != args[0] || !PyFrame_Check(frame))
        Py_RETURN_NONE;
    long at = PyFrame_GetLasti((PyFrameObject *)frame);
    /* the same line again is a new visit only if it is entered at its beginning */
    if (PyLong_AsLong(args[1]) == PyLong_AsLong(PyList_GET_ITEM(top, 3)) &&
        at != PyLong_AsLong(PyList_GET_ITEM(top, 4)))
        Py_RETURN_NONE;
    PyObject *entered = PyLong_FromLong(at);
    if (entered == NULL || PyList_SetItem(top, 3, Py_NewRef(args[1])) < 0 ||
        PyList_SetItem(top, 4, entered) < 0)
        return NULL;
    PyObject *given[] = {frame, args[1]};
    PyObject *step = Py_NewRef(PyList_GET_ITEM(top, 5));
    Py_INCREF(frame);
    PyObject *done = PyObject_Vectorcall(step, given, 2, NULL);
    Py_DECREF(frame);
    Py_DECREF(step);
    if (done == NULL && PyErr_ExceptionMatches(PyTuple_GET_ITEM(held, 2))) {
        PyErr_Clear();
        return PyObject_CallNoArgs(PyTuple_GET_ITEM(held, 1));
    }
    return done;
}

static PyMethodDef line_event = {"on_line", (PyCFunction)(void (*)(void))on_line, METH_FASTCALL, NULL};

/* line_callback(stack, halt, exceptions) */
static PyObject *line_callback(PyObject *module, PyObject *args)
{
    PyObject *stack, *halt, *stops;
    if (!PyArg_ParseTuple(args, "O!OO!", &PyList_Type, &stack, &halt, &PyTuple_Type, &stops))
        return NULL;
    PyObject *held = PyTuple_Pack(3, stack, halt, stops);
    PyObject *made = held ? PyCFunction_New(&line_event, held) : NULL;
    Py_XDECREF(held);
    return made;
}

/* --- the start event of `by_monitoring` ----------------------------------------------------------- */

/* Calls its `on_start`; where the stack has no room for that, the program goes on alone, and meets the
limit itself. `held` is (on_start, source). */
static PyObject *on_start(PyObject *held, PyObject *const *args, Py_ssize_t count)
{
    PyObject *source = PyTuple_GET_ITEM(held, 1);
    PyObject *done = PyObject_Vectorcall(PyTuple_GET_ITEM(held, 0), args, count, NULL);
    if (done || !PyErr_ExceptionMatches(PyExc_RecursionError))
        return done;
    PyErr_Clear();
    PyObject *stack = PyObject_GetAttrString(source, "stack");
    PyObject *recorder = PyObject_GetAttrString(source, "recorder");
    PyObject *word = PyUnicode_FromString("recursion");
    if (stack && recorder && word && PyList_Check(stack) &&
        PyList_SetSlice(stack, 0, PyList_GET_SIZE(stack), NULL) == 0 &&
        PyObject_SetAttrString(recorder, "cut", word) == 0)
        done = Py_NewRef(Py_None);
    Py_XDECREF(stack);
    Py_XDECREF(recorder);
    Py_XDECREF(word);
    return done;
}

static PyMethodDef start_event = {"on_start", (PyCFunction)(void (*)(void))on_start, METH_FASTCALL, NULL};

/* start_callback(on_start, source) */
static PyObject *start_callback(PyObject *module, PyObject *args)
{
    PyObject *called, *source;
    if (!PyArg_ParseTuple(args, "OO", &called, &source))
        return NULL;
    PyObject *held = PyTuple_Pack(2, called, source);
    PyObject *made = held ? PyCFunction_New(&start_event, held) : NULL;
    Py_XDECREF(held);
    return made;
}

static PyMethodDef functions[] = {
    {"start_callback", start_callback, METH_VARARGS, NULL},
    {"payload", payload, METH_VARARGS, NULL},
    {"line_callback", line_callback, METH_VARARGS, NULL},
    {"follow", follow, METH_VARARGS, NULL},
    {"is_plain", is_plain, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_native", .m_size = -1, .m_methods = functions,
};

PyMODINIT_FUNC PyInit__native(void)
{
    if (PyType_Ready(&BoundsType) < 0 || PyType_Ready(&FollowerType) < 0)
        return NULL;
    PyObject *module = PyModule_Create(&definition);
    if (module && PyModule_AddObjectRef(module, "Bounds", (PyObject *)&BoundsType) < 0)
        Py_CLEAR(module);
    return module;
}
