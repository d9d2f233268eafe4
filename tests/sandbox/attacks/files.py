"""Reading, writing, deleting and leaving files."""

from attacks import in_call, trying

ATTACKS = [
    trying("write outside the scratch dir", """
open('@OUTSIDE@/written', 'w').write('x')
""", "wrong", breach="file outside"),
    trying("delete a file outside", """
import posix as os
---
os.unlink('@VICTIM@')
""", "wrong", breach="deleted"),
    in_call("240 MB into the temp dir", """
import os
---
for place in ('.', '/tmp', '@OUTSIDE@'):
    try:
        for i in range(60):
            open(os.path.join(place, f'full{i}'), 'wb').write(bytes(1 << 22))
    except OSError:
        pass
return 0
""", "wrong", "crashed", "output_limit", "timeout"),
    trying("mode-000 dir to break cleanup", """
import os
---
os.makedirs('locked/inner')
os.chmod('locked', 0)
""", "wrong"),
    in_call("chdir('/')", "import os\n---\nos.chdir('/')\nreturn 0", "wrong"),
    trying("symlink from scratch to an outside file", """
import os
---
os.symlink('@VICTIM@', 'link')
os.chmod('link', 0)
open('link', 'w').write('overwritten')
""", "wrong", breach="changed"),
    trying("leave POSIX shared memory behind", """
open('/dev/shm/left-by-attack', 'w').write('x')
""", "wrong", breach="shm left"),
    in_call("change modes, owners and times outside", """
import posix as os
---
for action in (lambda: os.chmod('@VICTIM@', 0o000), lambda: os.utime('@VICTIM@', (0, 0)),
               lambda: os.chown('@VICTIM@', 12345, 12345), lambda: os.truncate('@VICTIM@', 0),
               lambda: os.setxattr('@VICTIM@', 'user.x', b'y')):
    try:
        action()
    except OSError:
        pass
return 0
""", "wrong", breach="changed", own=True),
    in_call("hard link, rename and mknod outside", """
import posix as os, stat
---
for action in (lambda: os.link('@VICTIM@', '@OUTSIDE@/linked'),
               lambda: os.mknod('@OUTSIDE@/node', stat.S_IFIFO | 0o666),
               lambda: os.mkfifo('@OUTSIDE@/fifo'),
               lambda: os.rename('@VICTIM@', '@OUTSIDE@/moved')):
    try:
        action()
    except OSError:
        pass
return 0
""", "wrong", breach="deleted", own=True),
    in_call("open by handle, mount, pivot, chroot", """
import ctypes, os
---
libc = ctypes.CDLL(None)
done = []
if libc.mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0: done.append('mount')
try:
    os.chroot('/')
    done.append('chroot')
except OSError:
    pass
if libc.pivot_root if hasattr(libc, 'pivot_root') else False: done.append('pivot')
return done or 0
""", "wrong", breach="mounted", own=True),
    in_call("devices other than null, zero and urandom", """
import os
---
done = []
for name in ('/dev/vda', '/dev/sda', '/dev/mem', '/dev/kmsg', '/dev/tty', '/dev/fuse', '/dev/kvm'):
    try:
        os.close(os.open(name, os.O_RDWR))
        done.append(name)
    except OSError:
        pass
return done and 'opened'
""", "wrong", own=True),
]  # fmt: skip
