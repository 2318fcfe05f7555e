{{/* What server, schedulers and workers have in common. Each is called with (dict "root" $ "part" "name of the part"). */}}

{{- define "retrofill.name" -}}
{{- printf "%s-%s" .root.Release.Name .part | trunc 52 | trimSuffix "-" -}}
{{- end }}

{{- define "retrofill.labels" -}}
app.kubernetes.io/name: retrofill
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "retrofill.metadata" -}}
name: {{ include "retrofill.name" . }}
labels:
  {{- include "retrofill.labels" . | nindent 2 }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "retrofill.podMetadata" -}}
labels:
  {{- include "retrofill.labels" . | nindent 2 }}
annotations:
  # A mounted file does not change by itself: with other contents pods are made anew.
  checksum/project: {{ include (print .root.Template.BasePath "/project.yaml") .root | sha256sum }}
{{- end }}

{{/* Of a pod's specification what is the same everywhere. */}}
{{- define "retrofill.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false # a Service called retrofill-... would set variables that look like settings
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- range $key := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" }}
{{- with index $.root.Values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* Of a container what is the same everywhere. */}}
{{- define "retrofill.container" -}}
image: "{{ .root.Values.image.repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}"
imagePullPolicy: {{ .root.Values.image.pullPolicy | default "IfNotPresent" }}
securityContext:
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
envFrom:
  - secretRef: {name: {{ .root.Values.secret }}}
    prefix: RETROFILL_SECRET_
env:
  - name: RETROFILL_SERVER_KEY
    valueFrom: {secretKeyRef: {name: {{ .root.Values.secret }}, key: SERVER_KEY}}
  - name: POD_NAME
    valueFrom: {fieldRef: {fieldPath: metadata.name}}
  - name: RETROFILL_STORE
    value: {{ .root.Values.store.url | quote }}
  {{- with (.root.Values.broker).url }}
  - name: RETROFILL_BROKER
    value: {{ . | quote }}
  {{- end }}
  {{- range $name, $value := .root.Values.settings }}
  - name: RETROFILL_{{ upper $name }}
    value: {{ if kindIs "string" $value }}{{ quote $value }}{{ else }}{{ toJson $value | quote }}{{ end }}
  {{- end }}
{{- end }}

{{- define "retrofill.mounts" -}}
- {name: project, mountPath: /srv/retrofill/retrofill.yaml, subPath: retrofill.yaml, readOnly: true}
- {name: home, mountPath: /srv/retrofill/.retrofill}
{{- end }}

{{- define "retrofill.dataMount" -}}
{{- if .root.Values.dataClaim }}
- {name: data, mountPath: /data}
{{- end }}
{{- end }}

{{- define "retrofill.volumes" -}}
- name: project
  configMap: {name: {{ include "retrofill.name" (dict "root" .root "part" "project") }}}
{{- end }}

{{- define "retrofill.dataVolume" -}}
{{- with .root.Values.dataClaim }}
- name: data
  persistentVolumeClaim: {claimName: {{ . }}}
{{- end }}
{{- end }}

{{/* A set of hosts: pods with a folder of runs each. With "set" of (replicas, resources, storage, for workers
     drainSeconds) and "command". */}}
{{- define "retrofill.hosts" -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  {{- include "retrofill.metadata" . | nindent 2 }}
spec:
  replicas: {{ .set.replicas }}
  serviceName: {{ include "retrofill.name" . }}
  podManagementPolicy: Parallel
  selector:
    matchLabels:
      {{- include "retrofill.labels" . | nindent 6 }}
  template:
    metadata:
      {{- include "retrofill.podMetadata" . | nindent 6 }}
    spec:
      {{- include "retrofill.pod" . | nindent 6 }}
      terminationGracePeriodSeconds: {{ add (.set.drainSeconds | default 0) 30 }}
      containers:
        - name: {{ .part }}
          # Servers read logs there, at the name that the service below gives each pod.
          {{- $logs := printf "http://$(POD_NAME).%s.%s:8790" (include "retrofill.name" .) .root.Release.Namespace }}
          args: {{ concat .command (list "--serve-logs" ":8790" "--logs-at" $logs) | toJson }}
          {{- include "retrofill.container" . | nindent 10 }}
          ports: [{name: logs, containerPort: 8790}]
          {{- with .set.resources }}
          resources:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          volumeMounts:
            {{- include "retrofill.mounts" . | nindent 12 }}
            {{- include "retrofill.dataMount" . | nindent 12 }}
      volumes:
        {{- include "retrofill.volumes" . | nindent 8 }}
        {{- include "retrofill.dataVolume" . | nindent 8 }}
  volumeClaimTemplates:
    - metadata: {name: home}
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .set.storage.className }}
        storageClassName: {{ . }}
        {{- end }}
        resources: {requests: {storage: {{ .set.storage.size }}}}
---
# Names of its pods.
apiVersion: v1
kind: Service
metadata:
  {{- include "retrofill.metadata" . | nindent 2 }}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    {{- include "retrofill.labels" . | nindent 4 }}
{{- end }}
