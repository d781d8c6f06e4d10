package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"audiomicro/internal/config"
)

// parsed is a command line: flags may stand before or after names.
type parsed struct {
	names  []string
	own    map[string]string // flags that the command itself knows; a switch holds "true"
	config config.Config
}

// parse splits args into names, the command's own flags, and settings. values are own flags that take a value, switches
// those that take none; any other --flag must be a setting.
func parse(args []string, values, switches []string) (parsed, error) {
	p := parsed{own: map[string]string{}}
	settings := map[string]string{}
	file := os.Getenv("AUDIOMICRO_CONFIG")
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			p.names = append(p.names, args[i+1:]...)
			break
		}
		name, ok := strings.CutPrefix(arg, "--")
		if !ok && len(arg) > 1 && arg[0] == '-' {
			return p, usage(fmt.Sprintf("unknown flag %s: flags begin with two dashes, see `audiomicro help`", arg))
		}
		if !ok || name == "" {
			p.names = append(p.names, arg)
			continue
		}
		name, value, hasValue := strings.Cut(name, "=")
		key := strings.ReplaceAll(name, "-", "_")
		own := slices.Contains(values, name)
		if !own && name != "config" && !slices.Contains(switches, name) && !slices.Contains(config.Keys(), key) {
			return p, usage(fmt.Sprintf("unknown flag --%s: see `audiomicro help`", name))
		}
		needsValue := own || name == "config" || !slices.Contains(switches, name) && !config.IsSwitch(key)
		switch {
		case needsValue && !hasValue:
			if i+1 == len(args) {
				return p, usage(fmt.Sprintf("--%s needs a value", name))
			}
			i++
			value = args[i]
		case !needsValue && !hasValue:
			value = "true"
		}
		switch {
		case own || slices.Contains(switches, name):
			p.own[name] = value
		case name == "config":
			file = value
		default:
			settings[key] = value
		}
	}
	var err error
	p.config, err = config.Load(file, os.Environ(), settings)
	return p, err
}

// alone reads the command line of a command that takes no names: a name given is most often a flag without its dashes.
func alone(command string, args, values, switches []string) (parsed, error) {
	p, err := parse(args, values, switches)
	if err == nil && len(p.names) > 0 {
		err = usage(fmt.Sprintf("%s takes no %q: see `audiomicro help`", command, p.names[0]))
	}
	return p, err
}
