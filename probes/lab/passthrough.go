package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// slowFile is a file system with one file, whose contents are another file's,
// and whose writes wait. A loop device on it is a block device like any other,
// to the kernel's counters too, but a slow one.
type slowFile struct {
	fs.Inode
	path  string // of the file as others see it
	file  *os.File
	delay atomic.Int64 // of each write and fsync, nanoseconds
}

// slowDown mounts a file system with one file on an image.
func (c *Cluster) slowDown(image string) (*slowFile, error) {
	file, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	s := &slowFile{path: filepath.Join(c.Dir, "slow", "disk.img"), file: file}
	dir := filepath.Dir(s.path)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if err := c.state.note(dir); err != nil {
		return nil, err
	}
	options := &fs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: mountSource, Name: "slow"}}
	if _, err := fs.Mount(dir, &slowRoot{file: s}, options); err != nil {
		return nil, fmt.Errorf("mount a FUSE file system (root may): %w", err)
	}
	return s, nil
}

// Delay makes each write to the disk under broker 3 wait; 0: none.
func (c *Cluster) Delay(d time.Duration) { c.disk.slow.delay.Store(int64(d)) }

// slowRoot is the directory with that file.
type slowRoot struct {
	fs.Inode
	file *slowFile
}

// OnAdd puts the file into its directory.
func (r *slowRoot) OnAdd(ctx context.Context) {
	r.AddChild(filepath.Base(r.file.path), r.NewPersistentInode(ctx, r.file, fs.StableAttr{Mode: syscall.S_IFREG}), false)
}

func (s *slowFile) wait() { time.Sleep(time.Duration(s.delay.Load())) }

// Getattr tells the size of the other file.
func (s *slowFile) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	info, err := s.file.Stat()
	if err != nil {
		return fs.ToErrno(err)
	}
	out.Mode, out.Size, out.Blocks = syscall.S_IFREG|0o600, uint64(info.Size()), uint64(info.Size()/512)
	return 0
}

// Open needs no handle: there is one file.
func (s *slowFile) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, 0, 0
}

func (s *slowFile) Read(_ context.Context, _ fs.FileHandle, to []byte, at int64) (fuse.ReadResult, syscall.Errno) {
	n, err := s.file.ReadAt(to, at)
	if n == 0 && err != nil && at < sizeOf(s.file) {
		return nil, fs.ToErrno(err)
	}
	return fuse.ReadResultData(to[:n]), 0
}

func (s *slowFile) Write(_ context.Context, _ fs.FileHandle, data []byte, at int64) (uint32, syscall.Errno) {
	s.wait()
	n, err := s.file.WriteAt(data, at)
	return uint32(n), fs.ToErrno(err)
}

// Fsync waits and writes nothing: the image need not outlive this machine.
func (s *slowFile) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	s.wait()
	return 0
}

func sizeOf(f *os.File) int64 {
	info, err := f.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}
