"""The API types of Kubernetes' core group and of its metadata, as `shapes` reads them.

Source: the fields' types and JSON tags in k8s.io/api/core/v1/types.go and apimachinery's meta/v1/types.go, v0.36.
"""

META = """
LabelSelector: matchLabels? matchExpressions?[]LabelSelectorRequirement
LabelSelectorRequirement: values?
ObjectMeta: name? generateName? namespace? labels? annotations? ownerReferences?[]OwnerReference finalizers?
  generation? managedFields? resourceVersion? selfLink? uid?
OwnerReference:
"""

CORE = """
AWSElasticBlockStoreVolumeSource: fsType? partition? readOnly?
Affinity: nodeAffinity=NodeAffinity podAffinity=PodAffinity podAntiAffinity=PodAntiAffinity
AppArmorProfile:
AzureDiskVolumeSource:
AzureFilePersistentVolumeSource: readOnly?
AzureFileVolumeSource: readOnly?
CSIPersistentVolumeSource: readOnly? fsType? volumeAttributes? controllerPublishSecretRef=SecretReference
  nodeStageSecretRef=SecretReference nodePublishSecretRef=SecretReference controllerExpandSecretRef=SecretReference
  nodeExpandSecretRef=SecretReference
CSIVolumeSource: volumeAttributes? nodePublishSecretRef=LocalObjectReference
Capabilities: add? drop?
CephFSPersistentVolumeSource: monitors! path? user? secretFile? secretRef=SecretReference readOnly?
CephFSVolumeSource: monitors! path? user? secretFile? secretRef=LocalObjectReference readOnly?
CinderPersistentVolumeSource: fsType? readOnly? secretRef=SecretReference
CinderVolumeSource: fsType? readOnly? secretRef=LocalObjectReference
ClientIPConfig:
ClusterTrustBundleProjection: labelSelector=meta.LabelSelector
ConfigMap: metadata!=meta.ObjectMeta data? binaryData?
ConfigMapEnvSource: name?
ConfigMapKeySelector: name?
ConfigMapNodeConfigSource: uid? resourceVersion?
ConfigMapProjection: name? items?[]KeyToPath
ConfigMapVolumeSource: name? items?[]KeyToPath
Container: image? command? args? workingDir? ports?[]ContainerPort envFrom?[]EnvFromSource env?[]EnvVar
  resources!=ResourceRequirements resizePolicy? restartPolicyRules?[]ContainerRestartRule
  volumeMounts?[]VolumeMount volumeDevices? livenessProbe=Probe readinessProbe=Probe startupProbe=Probe
  lifecycle=Lifecycle terminationMessagePath? terminationMessagePolicy? imagePullPolicy?
  securityContext=SecurityContext stdin? stdinOnce? tty?
ContainerPort: name? hostPort? protocol? hostIP?
ContainerRestartRule: action? exitCodes=ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes: operator? values?
DownwardAPIProjection: items?[]DownwardAPIVolumeFile
DownwardAPIVolumeFile: fieldRef=ObjectFieldSelector resourceFieldRef=ResourceFieldSelector
DownwardAPIVolumeSource: items?[]DownwardAPIVolumeFile
EmptyDirVolumeSource: medium? sizeLimit#
EnvFromSource: prefix? configMapRef=ConfigMapEnvSource secretRef=SecretEnvSource
EnvVar: value? valueFrom=EnvVarSource
EnvVarSource: fieldRef=ObjectFieldSelector resourceFieldRef=ResourceFieldSelector
  configMapKeyRef=ConfigMapKeySelector secretKeyRef=SecretKeySelector fileKeyRef=FileKeySelector
EphemeralContainer: image? command? args? workingDir? ports?[]ContainerPort envFrom?[]EnvFromSource env?[]EnvVar
  resources!=ResourceRequirements resizePolicy? restartPolicyRules?[]ContainerRestartRule
  volumeMounts?[]VolumeMount volumeDevices? livenessProbe=Probe readinessProbe=Probe startupProbe=Probe
  lifecycle=Lifecycle terminationMessagePath? terminationMessagePolicy? imagePullPolicy?
  securityContext=SecurityContext stdin? stdinOnce? tty? targetContainerName?
EphemeralVolumeSource: volumeClaimTemplate=PersistentVolumeClaimTemplate
ExecAction: command?
FCVolumeSource: targetWWNs? fsType? readOnly? wwids?
FileKeySelector:
FlexPersistentVolumeSource: fsType? secretRef=SecretReference readOnly? options?
FlexVolumeSource: fsType? secretRef=LocalObjectReference readOnly? options?
FlockerVolumeSource: datasetName? datasetUUID?
GCEPersistentDiskVolumeSource: fsType? partition? readOnly?
GRPCAction:
GitRepoVolumeSource: revision? directory?
GlusterfsPersistentVolumeSource: readOnly?
GlusterfsVolumeSource: readOnly?
HTTPGetAction: path? host? scheme? httpHeaders?
HostAlias: hostnames?
HostPathVolumeSource:
ISCSIPersistentVolumeSource: iscsiInterface? fsType? readOnly? portals? chapAuthDiscovery? chapAuthSession?
  secretRef=SecretReference
ISCSIVolumeSource: iscsiInterface? fsType? readOnly? portals? chapAuthDiscovery? chapAuthSession?
  secretRef=LocalObjectReference
ImageVolumeSource: reference? pullPolicy?
KeyToPath:
Lifecycle: postStart=LifecycleHandler preStop=LifecycleHandler
LifecycleHandler: exec=ExecAction httpGet=HTTPGetAction tcpSocket=TCPSocketAction sleep=SleepAction
LimitRange: metadata!=meta.ObjectMeta spec!=LimitRangeSpec
LimitRangeItem: max?{}# min?{}# default?{}# defaultRequest?{}# maxLimitRequestRatio?{}#
LimitRangeSpec: limits![]LimitRangeItem
LocalObjectReference: name?
LocalVolumeSource:
NFSVolumeSource: readOnly?
Namespace: metadata!=meta.ObjectMeta spec!=NamespaceSpec
NamespaceSpec: finalizers?
Node: metadata!=meta.ObjectMeta spec!=NodeSpec
NodeAffinity: requiredDuringSchedulingIgnoredDuringExecution=NodeSelector
  preferredDuringSchedulingIgnoredDuringExecution?[]PreferredSchedulingTerm
NodeConfigSource: configMap=ConfigMapNodeConfigSource
NodeSelector: nodeSelectorTerms![]NodeSelectorTerm
NodeSelectorRequirement: values?
NodeSelectorTerm: matchExpressions?[]NodeSelectorRequirement matchFields?[]NodeSelectorRequirement
NodeSpec: podCIDR? podCIDRs? providerID? unschedulable? taints?[]Taint configSource=NodeConfigSource externalID?
ObjectFieldSelector: apiVersion?
ObjectReference: kind? namespace? name? uid? apiVersion? resourceVersion? fieldPath?
PersistentVolume: metadata!=meta.ObjectMeta spec!=PersistentVolumeSpec
PersistentVolumeClaim: metadata!=meta.ObjectMeta spec!=PersistentVolumeClaimSpec
PersistentVolumeClaimSpec: accessModes? selector=meta.LabelSelector resources!=VolumeResourceRequirements
  volumeName? dataSource=TypedLocalObjectReference dataSourceRef=TypedObjectReference
PersistentVolumeClaimTemplate: metadata!=meta.ObjectMeta spec!=PersistentVolumeClaimSpec
PersistentVolumeClaimVolumeSource: readOnly?
PersistentVolumeSpec: capacity?{}# gcePersistentDisk=GCEPersistentDiskVolumeSource
  awsElasticBlockStore=AWSElasticBlockStoreVolumeSource hostPath=HostPathVolumeSource
  glusterfs=GlusterfsPersistentVolumeSource nfs=NFSVolumeSource rbd=RBDPersistentVolumeSource
  iscsi=ISCSIPersistentVolumeSource cinder=CinderPersistentVolumeSource cephfs=CephFSPersistentVolumeSource
  fc=FCVolumeSource flocker=FlockerVolumeSource flexVolume=FlexPersistentVolumeSource
  azureFile=AzureFilePersistentVolumeSource vsphereVolume=VsphereVirtualDiskVolumeSource
  quobyte=QuobyteVolumeSource azureDisk=AzureDiskVolumeSource photonPersistentDisk=PhotonPersistentDiskVolumeSource
  portworxVolume=PortworxVolumeSource scaleIO=ScaleIOPersistentVolumeSource
  storageos=StorageOSPersistentVolumeSource csi=CSIPersistentVolumeSource accessModes? claimRef=ObjectReference
  persistentVolumeReclaimPolicy? storageClassName? mountOptions? nodeAffinity=VolumeNodeAffinity
  local=LocalVolumeSource
PhotonPersistentDiskVolumeSource: fsType?
Pod: metadata!=meta.ObjectMeta spec!=PodSpec
PodAffinity: requiredDuringSchedulingIgnoredDuringExecution?[]PodAffinityTerm
  preferredDuringSchedulingIgnoredDuringExecution?[]WeightedPodAffinityTerm
PodAffinityTerm: labelSelector=meta.LabelSelector namespaces? namespaceSelector=meta.LabelSelector matchLabelKeys?
  mismatchLabelKeys?
PodAntiAffinity: requiredDuringSchedulingIgnoredDuringExecution?[]PodAffinityTerm
  preferredDuringSchedulingIgnoredDuringExecution?[]WeightedPodAffinityTerm
PodCertificateProjection: signerName? keyType? credentialBundlePath? keyPath? certificateChainPath?
  userAnnotations?
PodDNSConfig: nameservers? searches? options?[]PodDNSConfigOption
PodDNSConfigOption: name?
PodResourceClaim:
PodSecurityContext: seLinuxOptions=SELinuxOptions supplementalGroups? sysctls?[]Sysctl
  windowsOptions=WindowsSecurityContextOptions seccompProfile=SeccompProfile appArmorProfile=AppArmorProfile
PodSpec: volumes?[]Volume initContainers?[]Container containers![]Container
  ephemeralContainers?[]EphemeralContainer restartPolicy? dnsPolicy? nodeSelector? serviceAccountName?
  serviceAccount? nodeName? hostNetwork? hostPID? hostIPC? securityContext=PodSecurityContext
  imagePullSecrets?[]LocalObjectReference hostname? subdomain? affinity=Affinity schedulerName?
  tolerations?[]Toleration hostAliases?[]HostAlias priorityClassName? dnsConfig=PodDNSConfig readinessGates?
  overhead?{}# topologySpreadConstraints?[]TopologySpreadConstraint schedulingGates?
  resourceClaims?[]PodResourceClaim resources=ResourceRequirements
PodTemplate: metadata!=meta.ObjectMeta template!=PodTemplateSpec
PodTemplateSpec: metadata!=meta.ObjectMeta spec!=PodSpec
PortworxVolumeSource: fsType? readOnly?
PreferredSchedulingTerm: preference!=NodeSelectorTerm
Probe: exec=ExecAction httpGet=HTTPGetAction tcpSocket=TCPSocketAction grpc=GRPCAction initialDelaySeconds?
  timeoutSeconds? periodSeconds? successThreshold? failureThreshold?
ProjectedVolumeSource: sources![]VolumeProjection
QuobyteVolumeSource: readOnly? user? group? tenant?
RBDPersistentVolumeSource: monitors! fsType? pool? user? keyring? secretRef=SecretReference readOnly?
RBDVolumeSource: monitors! fsType? pool? user? keyring? secretRef=LocalObjectReference readOnly?
ReplicationController: metadata!=meta.ObjectMeta spec!=ReplicationControllerSpec
ReplicationControllerSpec: minReadySeconds? selector? template=PodTemplateSpec
ResourceClaim: request?
ResourceFieldSelector: containerName? divisor#
ResourceQuota: metadata!=meta.ObjectMeta spec!=ResourceQuotaSpec
ResourceQuotaSpec: hard?{}# scopes? scopeSelector=ScopeSelector
ResourceRequirements: limits?{}# requests?{}# claims?[]ResourceClaim
SELinuxOptions: user? role? type? level?
ScaleIOPersistentVolumeSource: secretRef=SecretReference sslEnabled? protectionDomain? storagePool? storageMode?
  volumeName? fsType? readOnly?
ScaleIOVolumeSource: secretRef=LocalObjectReference sslEnabled? protectionDomain? storagePool? storageMode?
  volumeName? fsType? readOnly?
ScopeSelector: matchExpressions?[]ScopedResourceSelectorRequirement
ScopedResourceSelectorRequirement: values?
SeccompProfile:
Secret: metadata!=meta.ObjectMeta data? stringData? type?
SecretEnvSource: name?
SecretKeySelector: name?
SecretProjection: name? items?[]KeyToPath
SecretReference: name? namespace?
SecretVolumeSource: secretName? items?[]KeyToPath
SecurityContext: windowsOptions=WindowsSecurityContextOptions capabilities=Capabilities
  seLinuxOptions=SELinuxOptions seccompProfile=SeccompProfile appArmorProfile=AppArmorProfile
Service: metadata!=meta.ObjectMeta spec!=ServiceSpec
ServiceAccount: metadata!=meta.ObjectMeta secrets?[]ObjectReference imagePullSecrets?[]LocalObjectReference
ServiceAccountTokenProjection: audience?
ServicePort: name? protocol? nodePort?
ServiceSpec: ports?[]ServicePort selector? clusterIP? clusterIPs? type? externalIPs? sessionAffinity?
  loadBalancerIP? loadBalancerSourceRanges? externalName? externalTrafficPolicy? healthCheckNodePort?
  publishNotReadyAddresses? sessionAffinityConfig=SessionAffinityConfig ipFamilies?
SessionAffinityConfig: clientIP=ClientIPConfig
SleepAction:
StorageOSPersistentVolumeSource: volumeName? volumeNamespace? fsType? readOnly? secretRef=ObjectReference
StorageOSVolumeSource: volumeName? volumeNamespace? fsType? readOnly? secretRef=LocalObjectReference
Sysctl:
TCPSocketAction: host?
Taint: value?
Toleration: key? operator? value? effect?
TopologySelectorLabelRequirement: values!
TopologySelectorTerm: matchLabelExpressions?[]TopologySelectorLabelRequirement
TopologySpreadConstraint: labelSelector=meta.LabelSelector matchLabelKeys?
TypedLocalObjectReference: apiGroup!
TypedObjectReference: apiGroup!
Volume: hostPath=HostPathVolumeSource emptyDir=EmptyDirVolumeSource gcePersistentDisk=GCEPersistentDiskVolumeSource
  awsElasticBlockStore=AWSElasticBlockStoreVolumeSource gitRepo=GitRepoVolumeSource secret=SecretVolumeSource
  nfs=NFSVolumeSource iscsi=ISCSIVolumeSource glusterfs=GlusterfsVolumeSource
  persistentVolumeClaim=PersistentVolumeClaimVolumeSource rbd=RBDVolumeSource flexVolume=FlexVolumeSource
  cinder=CinderVolumeSource cephfs=CephFSVolumeSource flocker=FlockerVolumeSource
  downwardAPI=DownwardAPIVolumeSource fc=FCVolumeSource azureFile=AzureFileVolumeSource
  configMap=ConfigMapVolumeSource vsphereVolume=VsphereVirtualDiskVolumeSource quobyte=QuobyteVolumeSource
  azureDisk=AzureDiskVolumeSource photonPersistentDisk=PhotonPersistentDiskVolumeSource
  projected=ProjectedVolumeSource portworxVolume=PortworxVolumeSource scaleIO=ScaleIOVolumeSource
  storageos=StorageOSVolumeSource csi=CSIVolumeSource ephemeral=EphemeralVolumeSource image=ImageVolumeSource
VolumeMount: readOnly? subPath? subPathExpr?
VolumeNodeAffinity: required=NodeSelector
VolumeProjection: secret=SecretProjection downwardAPI=DownwardAPIProjection configMap=ConfigMapProjection
  serviceAccountToken=ServiceAccountTokenProjection clusterTrustBundle=ClusterTrustBundleProjection
  podCertificate=PodCertificateProjection
VolumeResourceRequirements: limits?{}# requests?{}#
VsphereVirtualDiskVolumeSource: fsType? storagePolicyName? storagePolicyID?
WeightedPodAffinityTerm: podAffinityTerm!=PodAffinityTerm
WindowsSecurityContextOptions:
"""
