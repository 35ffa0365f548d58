module github.com/honeydue/backend/tools

go 1.26
