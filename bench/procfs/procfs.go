//go:build linux

// Package procfs owns what the benchmarks read about processes from /proc: CPU
// time, memory and bytes written, of one process or of one with its children.
// It starts and stops none.
package procfs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in /proc/PID/stat: USER_HZ, 100 on every
// architecture that Go runs on.
const tick = 10 * time.Millisecond

// Stat is what is used of /proc/PID/stat (proc_pid_stat(5)).
type Stat struct {
	Parent   int
	Own      time.Duration // user and system time of the process
	Children time.Duration // the same of the children it has waited for
}

var errStat = errors.New("malformed /proc/PID/stat")

// ParseStat reads the text of /proc/PID/stat.
func ParseStat(text []byte) (Stat, error) {
	// The second field is the program's name in brackets, which may hold
	// anything, brackets and blanks too.
	i := bytes.LastIndexByte(text, ')')
	if i < 0 {
		return Stat{}, errStat
	}
	fields := strings.Fields(string(text[i+1:]))
	const state, parent, utime, stime, cutime, cstime = 3, 4, 14, 15, 16, 17 // as the manual numbers them
	if len(fields) < cstime-state+1 {
		return Stat{}, errStat
	}
	var numbers [cstime + 1]int64
	for _, n := range []int{parent, utime, stime, cutime, cstime} {
		v, err := strconv.ParseInt(fields[n-state], 10, 64)
		if err != nil {
			return Stat{}, errStat
		}
		numbers[n] = v
	}
	return Stat{
		Parent:   int(numbers[parent]),
		Own:      time.Duration(numbers[utime]+numbers[stime]) * tick,
		Children: time.Duration(numbers[cutime]+numbers[cstime]) * tick,
	}, nil
}

// CPU gives the CPU time that a process has used.
func CPU(pid int) (time.Duration, error) {
	s, err := stat(pid)
	return s.Own, err
}

func stat(pid int) (Stat, error) {
	text, err := os.ReadFile(path(pid, "stat"))
	if err != nil {
		return Stat{}, err
	}
	return ParseStat(text)
}

// TreeCPU gives the CPU time that a process and its children have used, those
// that are gone included. Grandchildren count once they are waited for.
func TreeCPU(pid int) (time.Duration, error) {
	root, err := stat(pid)
	if err != nil {
		return 0, err
	}
	sum := root.Own + root.Children
	entries, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, name := range entries {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // ended meanwhile: its parent counts it
		}
		if s, err := ParseStat(text); err == nil && s.Parent == pid {
			sum += s.Own + s.Children
		}
	}
	return sum, nil
}

// Memory is the resident memory of a process, in bytes.
type Memory struct {
	Now, Peak int64
}

// ReadMemory gives the memory of a process.
func ReadMemory(pid int) (Memory, error) {
	fields, err := readFields(pid, "status")
	return Memory{Now: fields["VmRSS"] << 10, Peak: fields["VmHWM"] << 10}, err
}

// Written gives how many bytes a process has caused to be written to storage.
func Written(pid int) (int64, error) {
	fields, err := readFields(pid, "io")
	return fields["write_bytes"], err
}

func readFields(pid int, file string) (map[string]int64, error) {
	text, err := os.ReadFile(path(pid, file))
	if err != nil {
		return nil, err
	}
	return ParseFields(text), nil
}

// ParseFields reads lines of the form "name: number unit"; lines of another
// form are left out.
func ParseFields(text []byte) map[string]int64 {
	fields := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(line, ":")
		words := strings.Fields(value)
		if !ok || len(words) == 0 {
			continue
		}
		if n, err := strconv.ParseInt(words[0], 10, 64); err == nil {
			fields[name] = n
		}
	}
	return fields
}

func path(pid int, file string) string { return fmt.Sprintf("/proc/%d/%s", pid, file) }

// Processor gives the name and number of the machine's processors, as far as
// /proc/cpuinfo says.
func Processor() (name string, n int) {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "", 0
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "processor":
			n++
		case "model name":
			name = strings.TrimSpace(value)
		}
	}
	return name, n
}
