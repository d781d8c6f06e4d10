package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
)

func configPrint(_ context.Context, args []string) error {
	p, err := alone("config print", args, nil, nil)
	if err != nil {
		return err
	}
	return p.config.Print(os.Stdout)
}

func configCheck(_ context.Context, args []string) error {
	if _, err := alone("config check", args, nil, nil); err != nil {
		return err
	}
	fmt.Println("The settings are right.")
	return nil
}

func printVersion(_ context.Context, args []string) error {
	p, err := alone("version", args, nil, []string{"json"})
	if err != nil {
		return err
	}
	if p.own["json"] != "" {
		return json.NewEncoder(os.Stdout).Encode(map[string]string{"version": version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
	}
	fmt.Println("audiomicro", version, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	return nil
}
