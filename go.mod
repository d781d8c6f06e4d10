module audiomicro

go 1.26
