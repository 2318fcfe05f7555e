# Cuts the departures of one hour ($hour: 00 to 23) out of the day's file.
set -eu
folder="../../staging/flights/$day"
part="$folder/.departures.$hour.$$"

awk -F, -v hour="$hour" -v out="$part" '
    BEGIN { printf "" > out }                 # an hour without departures is an empty file
    $10 + 0 == hour + 0 { print > out; n++ }
    END { print n + 0 " departures from " hour ":00" }
' "$folder/day.csv"
mv "$part" "$folder/departures-$hour.csv"
